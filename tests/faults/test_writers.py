"""A writing command that is killed, or refused by the disk, leaves everything whole, and says so in a line."""

import errno
import random
import signal
from itertools import product

import pytest

from faults.command import COUNTS, WHOLE
from faults.writers import CHEAP, COSTLY, WRITERS, leftovers

SIGNALS = (signal.SIGKILL, signal.SIGTERM, signal.SIGHUP, signal.SIGINT)
ERRORS = (errno.ENOSPC, errno.EIO, errno.EROFS, errno.EDQUOT)
MOMENTS = 200 if WHOLE else 1  # random ones for each command
SAMPLED = WRITERS if WHOLE else [*CHEAP, "plot", "run"]  # the page and the year take three seconds each
MANY_STEPS = 100  # more than that: one signal and one error at each step, in turn


def trials(steps, kinds, costly):
    """Return pairs of a step and a fault: all of the whole suite, or some that touch odd and even steps."""
    every = range(1, steps + 1)
    if WHOLE and steps <= MANY_STEPS:
        return list(product(every, kinds))
    if not WHOLE:
        every = every[:: steps if costly else max(1, steps // 4 | 1)]
    return [(step, kinds[(step + step // len(kinds)) % len(kinds)]) for step in every]


def statuses(number):
    return {0, 1, 2, 128 + number}


def told(broken):
    """Return the faults that broke something, in full."""
    return {fault: why for fault, why in broken.items() if why}


@pytest.mark.parametrize("name", SAMPLED)
def test_a_signal_around_any_call_that_changes_the_disk_leaves_everything_whole(workshop, name):
    writer = WRITERS[name]
    broken = {}
    for step, number in trials(workshop.counted(writer).steps, SIGNALS, name in COSTLY):
        broken[step, number.name] = workshop.case(writer, statuses(number), fault={"at": step, "signal": number})
    assert told(broken) == {}


@pytest.mark.parametrize("name", SAMPLED)
def test_a_signal_at_any_moment_leaves_everything_whole(workshop, name):
    writer, draw = WRITERS[name], random.Random(name)
    length_s = workshop.counted(writer).seconds
    broken = {}
    for _ in range(MOMENTS):
        number, moment_s = draw.choice(SIGNALS), draw.uniform(0.0, length_s)
        broken[moment_s, number.name] = workshop.case(writer, statuses(number), signal=number, signal_s=moment_s)
    assert told(broken) == {}


@pytest.mark.parametrize("name", SAMPLED)
def test_a_disk_that_refuses_from_any_call_on_is_one_line_and_leaves_everything_whole(workshop, name):
    writer = WRITERS[name]
    broken = {}
    for step, number in trials(workshop.counted(writer).steps, ERRORS, name in COSTLY):
        broken[step, errno.errorcode[number]] = refused(workshop, writer, {"at": step, "error": number})
    assert told(broken) == {}


@pytest.mark.parametrize("name", CHEAP)
def test_a_disk_that_refuses_one_call_is_one_line_and_leaves_everything_whole(workshop, name):
    writer = CHEAP[name]
    broken = {}
    for step, number in trials(workshop.counted(writer).steps, ERRORS[1:2], costly=False):
        broken[step] = refused(workshop, writer, {"at": step, "error": number, "once": True})
    assert told(broken) == {}


def refused(workshop, writer, fault):
    """Return what a refusal broke; a first call that is refused cannot end well."""
    COUNTS["other faults of writing commands"] += 1
    done, work = workshop.run(writer, fault=fault, limit_s=120)
    if broken := done.broken({0, 1, 2}) or workshop.damage(writer, work, done):
        return broken
    if left := leftovers(work):
        return f"left: {left}"
    errors = sum(line.startswith("error: ") for line in done.err.splitlines())
    return "" if done.status == 0 or errors == 1 else f"{errors} lines for an error: {done.err}"


@pytest.mark.parametrize("name", ["import", "run"] if WHOLE else ["import"])
def test_a_store_that_vanishes_is_one_line_and_loses_no_earlier_record(workshop, name):
    writer = WRITERS[name]
    broken = {}
    for step, _ in trials(workshop.counted(writer).steps, (0,), costly=False):
        done, work = workshop.run(writer, fault={"at": step, "remove": "results"}, limit_s=120)
        COUNTS["other faults of writing commands"] += 1
        kept = all((work / "results-removed" / name / "result.json").is_file() for name in workshop.records)
        broken[step] = done.broken({0, 1, 2}) or ("" if kept else "an earlier record is lost")
    assert told(broken) == {}
