"""The workloads as a pytest-benchmark suite, with energy if a meter is named.

pytest -o addopts= -p bench.pytest_plugin bench/workloads/suite.py --benchmark-json=out.json
    --perwatt-meter shelly:HOST
"""

import os
from collections.abc import Iterator
from typing import Any

import pytest

from bench.workloads.protocol import Workload, WorkloadOptions
from bench.workloads.registry import ENTRIES, create

ROUND_S = float(os.environ.get("PERWATT_ROUND_S", "1.0"))
ROUNDS = 5


@pytest.fixture(params=[entry.name for entry in ENTRIES if entry.device_kind == "cpu" and entry.main_job])
def workload(request: pytest.FixtureRequest) -> Iterator[Workload]:
    """Yield a prepared and verified workload."""
    made = create(request.param, WorkloadOptions())
    made.prepare()
    made.verify()
    yield made
    made.close()


def test_workload(workload: Workload, energy_benchmark: Any, benchmark: Any) -> None:
    """Time rounds of about PERWATT_ROUND_S seconds (default 1) and check their output at the end."""
    n = _calls_for(workload, ROUND_S)
    work = workload.run(n).work
    benchmark.extra_info["perwatt"] = {
        "workload": workload.name,
        "variant": workload.variant,
        "version": workload.version,
    }
    energy_benchmark(lambda: workload.run(n), rounds=ROUNDS, work=work, unit=workload.unit)
    workload.check_output()


def _calls_for(workload: Workload, seconds: float) -> int:
    import time

    n = 1
    while True:
        before = time.monotonic()
        workload.run(n)
        call_s = time.monotonic() - before
        if call_s >= seconds / 8.0:
            return max(1, round(n * seconds / call_s))
        n *= 2
