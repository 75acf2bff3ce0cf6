"""Clocks that step, neighbours that write too, a disk that is full in earnest, and a process that is suspended."""

import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from bench.results.folder import read_whole
from bench.results.layout import result_folders
from faults.command import COUNTS, ROOT, WHOLE
from faults.writers import CHEAP, WRITERS

HOUR_S = 3600
STOPPED = ("import", "attach", "run") if WHOLE else ("import",)
EIGHT = """
import os, sys
from faults.zygote import import_everything
import_everything()
from bench.__main__ import main
children = []
for _ in range(8):
    children.append(os.fork())
    if not children[-1]:
        main(sys.argv[1:])
sys.exit(any(os.waitpid(child, 0)[1] for child in children))
"""


@pytest.mark.parametrize("step_s", [-HOUR_S, HOUR_S])
@pytest.mark.parametrize("name", ["run", "import", "attach"])
def test_a_wall_clock_that_steps_before_any_of_its_readings_changes_no_figure(workshop, name, step_s):
    writer = WRITERS[name]
    readings = workshop.counted(writer).readings
    if not readings:
        pytest.skip("no compiler of C (cc) for the library that moves the wall clock")
    for at in range(1, readings + 1) if WHOLE else [readings // 2 + 1]:
        done, work = workshop.run(writer, fault={"at": at, "clock_s": step_s}, limit_s=120)
        COUNTS["steps of the wall clock"] += 1
        assert (done.status, done.broken({0})) == (0, ""), (at, done.err)
        assert workshop.damage(writer, work, done) == "", at
        (record,) = (read_whole(path) for path in result_folders(work / "results") if path.name not in workshop.records)
        if name == "run":
            assert all(0 < window.end_s - window.start_s < HOUR_S / 10 for window in record.windows), at


@pytest.mark.parametrize("name", STOPPED)
def test_a_writer_that_is_suspended_stops_no_reader_and_goes_on(workshop, name):
    writer = WRITERS[name]
    steps = workshop.counted(writer).steps
    for step in range(1, steps + 1, 1 if WHOLE else steps // 2):
        fault = {"at": step, "signal": signal.SIGSTOP}
        done, work = workshop.run(writer, fault=fault, meanwhile=["list", "results"], limit_s=120)
        COUNTS["suspended processes"] += 1
        assert (done.status, done.meanwhile) == (0, 0), (step, done.err)
        assert workshop.damage(writer, work, done) == "", step


def test_eight_writers_at_once_store_eight_records(workshop):
    work = workshop.fresh()
    command = [sys.executable, "-c", EIGHT, *CHEAP["import"].argv]
    environment = os.environ | {"PYTHONPATH": f"{ROOT}:{ROOT / 'tests'}"}
    subprocess.run(command, cwd=work, env=environment, check=True, capture_output=True, timeout=600)
    assert len([read_whole(folder) for folder in result_folders(work / "results")]) == 10


@pytest.fixture
def full_disk(workshop):
    """Yield a function that mounts a file system with the workshop in it and so many free bytes."""
    place = workshop.folder / "full"
    if os.geteuid() != 0:
        pytest.skip("mounting a tmpfs takes root")

    def mounted(free_bytes: int) -> Path:
        subprocess.run(["umount", place], check=False, capture_output=True)
        place.mkdir(exist_ok=True)
        used = workshop.fresh()
        mount = ["mount", "-t", "tmpfs", "-o", "size=64m", "none", place]
        done = subprocess.run(mount, check=False, capture_output=True)
        if done.returncode != 0:
            pytest.skip(f"a tmpfs cannot be mounted here: {done.stderr.decode().strip()}")
        subprocess.run(["cp", "-a", f"{used}/.", place], check=True)
        with (place / "filling").open("wb", buffering=0) as file:
            state = os.statvfs(place)
            file.write(bytes(max(0, state.f_bavail * state.f_frsize - free_bytes)))
        return place

    yield mounted
    subprocess.run(["umount", place], check=False, capture_output=True)


def files(place):
    """Return the files of a folder; an empty folder that the user named may stay."""
    return {path for path in place.rglob("*") if path.is_file()}


@pytest.mark.parametrize("name", WRITERS if WHOLE else ["import", "site"])
def test_a_file_system_that_is_full_is_one_line_and_leaves_everything_whole(workshop, full_disk, name):
    writer = WRITERS[name]
    for free_bytes in (0, 4096, 16384, 65536, 2**20, 3 * 2**19) if WHOLE else (0, 16384):
        place = full_disk(free_bytes)
        before = files(place)
        done, _ = workshop.run(writer, place, limit_s=120)
        COUNTS["full file systems"] += 1
        assert done.broken({0, 1, 2}) == "", free_bytes
        assert done.status == 0 or files(place) == before, (free_bytes, done.err)
        (place / "filling").write_bytes(b"")
        assert workshop.damage(writer, place, done) == "", (free_bytes, done.err)
        if rescued := re.search(r"the whole result is in (\S+);", done.err):
            assert read_whole(Path(rescued[1].strip("'"))).id
