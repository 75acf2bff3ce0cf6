"""A year of five-minute prices is read in under a second, and a file of many points within little memory."""

import subprocess
import sys
import time
import zipfile
from pathlib import Path

import pytest
from doubles.feeds.america import ercot
from doubles.feeds.others import aemo
from doubles.feeds.truth import steps, time_s, year

from sites.feeds.read import read_feed

ROOT = Path(__file__).parents[3]


@pytest.mark.benchmark(timer=time.process_time)  # the machine may be crowded
def test_a_year_of_five_minutes_is_read_in_under_a_second(benchmark, tmp_path):
    path = tmp_path / "year.csv"
    path.write_text(aemo.prices(steps(*year("Australia/Brisbane"), 5)), encoding="utf-8")
    feed = benchmark.pedantic(read_feed, (path,), rounds=5, warmup_rounds=1)
    assert len(feed.intervals.values) == 105_120
    assert benchmark.stats.stats.min < 1.0


@pytest.mark.parametrize("suffix", ["csv", "zip"])
def test_a_file_of_many_points_is_filtered_within_little_memory(tmp_path, suffix):
    first_s = time_s(ercot.ZONE, 2025, 7, 1)
    points = tuple((f"NODE_{at:04d}", "RN") for at in range(1000))
    rows = ercot.real_time(steps(first_s, first_s + 4 * 3600, 15), points).split("\n", 1)
    path = tmp_path / "nodes.csv"
    with path.open("w", encoding="utf-8") as file:
        file.write(rows[0] + "\n")
        for day in range(1, 31):  # 24 MB in 480,000 rows
            file.write(rows[1].replace("07/01/2025", f"07/{day:02d}/2025"))
    if suffix == "zip":
        with zipfile.ZipFile(tmp_path / "nodes.zip", "w", zipfile.ZIP_DEFLATED) as archive:
            archive.write(path)
    code = """
import resource, sys
from pathlib import Path
from sites.feeds.read import read_feed
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
feed = read_feed(Path(sys.argv[1]), {"point": "NODE_0500"})
print(len(feed.intervals.values), resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)
"""
    command = [sys.executable, "-c", code, path.with_suffix(f".{suffix}")]
    done = subprocess.run(command, check=True, cwd=ROOT, capture_output=True, text=True)
    intervals, grown_kib = map(int, done.stdout.split())
    assert intervals == 480
    assert grown_kib < 12 * 1024  # half of the file's size
