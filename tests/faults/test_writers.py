"""A writing command that is killed, refused by the disk or suspended leaves everything whole, and says so in a line."""

import errno
import os
import random
import signal
import subprocess
import sys

import pytest

from bench.results.folder import read_whole
from bench.results.layout import result_folders
from faults.command import ROOT
from faults.writers import CHEAP, COSTLY, leftovers

SIGNALS = (signal.SIGKILL, signal.SIGTERM, signal.SIGHUP, signal.SIGINT)
ERRORS = (errno.ENOSPC, errno.EIO, errno.EROFS, errno.EDQUOT)
SAMPLE = None if os.environ.get("PERWATT_FAULTS") == "whole" else 2  # steps of a costly command, and moments


def sampled(steps, seed):
    every = range(1, steps + 1)
    return every if SAMPLE is None else sorted(random.Random(seed).sample(every, min(SAMPLE, steps)))


def spread(steps):
    """Return every step in the whole suite, else some eight of them, odd and even."""
    return range(1, steps + 1, 1 if SAMPLE is None else max(1, steps // 7 | 1))


def statuses(number):
    return {0, 1, 2, 128 + number}


@pytest.mark.parametrize("name", CHEAP)
def test_a_signal_around_any_call_that_changes_the_disk_leaves_everything_whole(workshop, name):
    writer = CHEAP[name]
    for step in spread(workshop.steps(writer)):
        for number in SIGNALS if SAMPLE is None else (SIGNALS[step % 4],):
            done, work = workshop.run(writer, fault={"at": step, "signal": number})
            assert done.broken(statuses(number)) == "", (step, number)
            assert number != signal.SIGKILL or done.status == 137, step
            assert workshop.damage(writer, work, done.status) == "", (step, number)


@pytest.mark.parametrize("name", CHEAP)
def test_a_disk_that_refuses_from_any_call_on_is_one_line_and_leaves_everything_whole(workshop, name):
    writer = CHEAP[name]
    for step in spread(workshop.steps(writer)):
        for number in ERRORS if SAMPLE is None else (ERRORS[step % 4],):
            done, work = workshop.run(writer, fault={"at": step, "error": number})
            assert done.broken({0, 1, 2}) == "", (step, errno.errorcode[number])
            assert workshop.damage(writer, work, done.status) == "", (step, errno.errorcode[number])
            assert leftovers(work) == [], (step, errno.errorcode[number])
            assert step > 1 or done.status in {1, 2}


@pytest.mark.parametrize("name", COSTLY if SAMPLE is None else ["run"])
def test_a_costly_command_is_as_safe_at_the_calls_and_moments_that_are_tried(workshop, name):
    writer, moments = COSTLY[name], random.Random(name)
    steps = workshop.steps(writer)
    for at in sampled(steps, name):
        number = SIGNALS[at % 4]
        done, work = workshop.run(writer, fault={"at": at, "signal": number}, limit_s=120)
        assert done.broken(statuses(number)) == "", (at, number)
        assert workshop.damage(writer, work, done.status) == "", (at, number)
        done, work = workshop.run(writer, fault={"at": at, "error": ERRORS[at % 4]}, limit_s=120)
        assert done.broken({0, 1, 2}) == "", at
        assert workshop.damage(writer, work, done.status) == "", at
    for _ in range(200 if SAMPLE is None else SAMPLE):
        number, moment_s = moments.choice(SIGNALS), moments.uniform(0.0, 1.5)
        done, work = workshop.run(writer, signal=number, signal_s=moment_s, limit_s=120)
        assert done.broken(statuses(number)) == "", (moment_s, number)
        assert workshop.damage(writer, work, done.status) == "", (moment_s, number)


def test_a_store_that_vanishes_is_one_line_and_loses_no_earlier_record(workshop):
    writer = CHEAP["import"]
    for step in spread(workshop.steps(writer)):
        done, work = workshop.run(writer, fault={"at": step, "remove": "results"})
        assert done.broken({0, 1, 2}) == "", step
        assert (work / "results-removed" / workshop.record / "result.json").is_file(), step


def test_a_suspended_run_goes_on(workshop):
    done, work = workshop.run(COSTLY["run"], stop_s=0.4, stopped_s=0.3, limit_s=120)
    assert done.broken({0, 1}) == ""
    assert workshop.damage(COSTLY["run"], work) == ""
    assert len(list(result_folders(work / "results"))) == 2


def test_eight_writers_at_once_store_eight_records(workshop):
    _, work = workshop.run(CHEAP["site"])
    command = [sys.executable, "-P", "-m", "bench", *CHEAP["import"].argv]
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    writers = [subprocess.Popen(command, cwd=work, env=environment, stdout=subprocess.DEVNULL) for _ in range(8)]
    assert [writer.wait(600) for writer in writers] == [0] * 8
    assert len([read_whole(folder) for folder in result_folders(work / "results")]) == 9
