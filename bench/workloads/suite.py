"""The workloads as a pytest-benchmark suite, each with its energy where a meter is named.

pytest -o addopts= -p bench.pytest_plugin bench/workloads/suite.py --benchmark-json=out.json --perwatt-meter shelly:HOST
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
    """Give a workload, prepared and verified."""
    made = create(request.param, WorkloadOptions())
    made.prepare()
    made.verify()
    yield made
    made.close()


def test_workload(workload: Workload, energy_benchmark: Any, benchmark: Any) -> None:
    """Rounds of about PERWATT_ROUND_S seconds (default 1), their output checked at the end."""
    n = _calls_for(workload, ROUND_S)
    work = workload.run(n).work
    benchmark.extra_info.update(workload=workload.name, variant=workload.variant, version=workload.version)
    energy_benchmark(lambda: workload.run(n), rounds=ROUNDS, work=work, unit=workload.unit)
    workload.check_output()


def _calls_for(workload: Workload, seconds: float) -> int:
    import time

    n = 1
    while True:
        before = time.monotonic()
        workload.run(n)
        taken = time.monotonic() - before
        if taken >= seconds / 8.0:
            return max(1, round(n * seconds / taken))
        n *= 2
