"""A sweep on a real llama.cpp server whose throughput rises with the load: its knee, by CPU time and by the clock."""

import itertools
import os
import threading
import time
from pathlib import Path

import pytest

from bench.endpoint.client.target import read_target
from bench.endpoint.device import describe_random
from bench.endpoint.setting import Setting
from bench.endpoint.sweep.points import deepest_dip_frac
from bench.endpoint.sweep.records import knee_words, points_of
from bench.endpoint.sweep.run import Loads, measure_loads
from bench.endpoint.tiny.server import is_installed, running
from bench.endpoint.tiny.sizes import SMALL
from bench.machine.processes import start_python

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not is_installed(), reason="the extra `serve` (xllamacpp, gguf) is not installed"),
    pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="no CPU time of another process here"),
]
WHOLE_CORE_FRAC = 0.93  # [-] of a core that the server has when nothing else runs


class CpuTime:
    """The CPU time of a process, read every 20 ms."""

    def __init__(self, pid):
        self._stat = Path(f"/proc/{pid}/stat")
        self._readings = []
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._read, daemon=True)

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *_):
        self._stopped.set()
        self._thread.join()

    def between(self, start_s, end_s):
        """Return the CPU time between two times [s, monotonic]."""
        within = [cpu_s for at_s, cpu_s in self._readings if start_s <= at_s <= end_s]
        return within[-1] - within[0]

    def _read(self):
        while not self._stopped.wait(0.02):
            fields = self._stat.read_text().rpartition(")")[2].split()
            self._readings.append((time.monotonic(), sum(map(int, fields[11:13])) / os.sysconf("SC_CLK_TCK")))


def test_a_sweep_rises_to_its_knee_by_the_cpu_time_of_the_server_and_by_the_clock(short_job, monkeypatch):
    """The clock tells it only where the server had a core for itself; per second of its CPU time it always rises."""
    monkeypatch.setattr("bench.endpoint.workload.STEADY_BLOCK_S", 0.2)
    monkeypatch.setattr("bench.endpoint.workload.measure_ceiling", lambda *_: None)
    started = []
    monkeypatch.setattr(
        "bench.endpoint.tiny.server.start_python", lambda *args: started.append(start_python(*args)) or started[-1]
    )
    with running(SMALL) as url, CpuTime(started[0].pid) as cpu:
        target = read_target(url)
        setting = Setting(target, None, 4, 32, f"sweep {time.monotonic_ns()}")
        records = measure_loads(
            setting, Loads((1, 4, 16), sweep=True), short_job(windows=3, window_s=0.8), (),
            describe_random(target, SMALL), lambda _: (lambda *_: None, lambda _: None),
        )  # fmt: skip
        spans = {record.id: (record.windows[0].start_s, record.windows[-1].end_s) for record in records}
        cpu_s = {id_: cpu.between(*span) for id_, span in spans.items()}
    points = sorted(points_of(records), key=lambda point: point.concurrency)
    assert {1, 4, 16} <= {point.concurrency for point in points}
    assert {record.device.name for record in records} == {"small server, a model of random weights"}
    per_cpu_s = {p.concurrency: p.rate * (spans[p.record_id][1] - spans[p.record_id][0]) / cpu_s[p.record_id]
                 for p in points}  # fmt: skip
    for low, high in itertools.pairwise((1, 4, 16)):
        assert per_cpu_s[high] > 1.15 * per_cpu_s[low], per_cpu_s
    shares = {id_: cpu_s[id_] / (end_s - start_s) for id_, (start_s, end_s) in spans.items()}
    if (least := min(shares.values())) < WHOLE_CORE_FRAC:
        pytest.skip(f"crowded machine: the server had {least:.0%} of a core at one load, so the clock tells no knee")
    throughput = {point.concurrency: point.tokens_per_s for point in points}
    assert deepest_dip_frac(throughput) < 0.05
    assert points[-1].rate > 1.8 * points[0].rate
    assert "not stated" not in str(knee_words(records))
