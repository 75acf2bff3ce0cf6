"""40 hosts with 1,000 results are collected in under 60 s with under 300 MB: a benchmark, not a test.

Run by `pytest --benchmark-only tests/bench/lab/collect`. Each host is a process of its own.
"""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from doubles.lab.finished import finished_lab

ROOT = Path(__file__).parents[4]
HOSTS, JOBS = 40, 25
MOST_S, MOST_MB = 60.0, 300.0
COLLECT = """
import re, sys
from pathlib import Path
from bench.cli import main
try:
    main(["lab", "collect", "--results", sys.argv[1], "--json"])
finally:  # the peak of this process alone: that of getrusage begins with its parent's
    print(re.search("VmHWM:[^0-9]*([0-9]+) kB", Path("/proc/self/status").read_text())[1], file=sys.stderr)
"""


@pytest.fixture(scope="module")
def result(tmp_path_factory):
    """A real result, which every job of every host has a copy of."""
    store = tmp_path_factory.mktemp("result")
    command = [sys.executable, "-m", "bench", "run", "matmul_f32_cpu", "--plan", "smoke", "--out", store]
    subprocess.run(command, check=True, capture_output=True, cwd=ROOT)
    (folder,) = [path for path in store.iterdir() if not path.name.startswith(".")]
    return folder


def test_a_thousand_results_of_forty_hosts(benchmark, result, tmp_path):
    rounds = iter(range(10))
    peaks_mb = []

    def lab():
        folder = tmp_path / f"lab{next(rounds)}"
        return (finished_lab(folder, result, HOSTS, JOBS),), {}

    def collect(store):
        command = [sys.executable, "-c", COLLECT, store]
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
        assert json.loads(done.stdout)["coverage"]["counts"] == {"measured": HOSTS * JOBS}
        peaks_mb.append(int(done.stderr.split()[-1]) * 1.024e-3)

    benchmark.pedantic(collect, setup=lab, rounds=1, warmup_rounds=0)
    benchmark.extra_info.update(results=HOSTS * JOBS, peak_mb=max(peaks_mb))
    assert benchmark.stats.stats.max < MOST_S
    assert max(peaks_mb) < MOST_MB
