"""Hypothesis profile, hardware markers that skip with a reason or fail, and a workload under a test's control."""

import collections
import os
import shutil
import time

# The tests' matrix products are small, and a BLAS thread that waits for the next one spins. This comes before NumPy's
# import, and the processes that tests start inherit it.
for _name in ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(_name, "1")

import pytest
from hypothesis import HealthCheck, settings

from bench.measure.plan import get_plan
from bench.measure.runner import Job
from bench.results.record import Device
from bench.workloads.protocol import Batch, Check, VerificationError

os.environ["COLUMNS"] = "200"  # no cell is cut or folded, whatever terminal the tests were started from

settings.register_profile("perwatt", deadline=None, suppress_health_check=[HealthCheck.too_slow], derandomize=True)
settings.load_profile("perwatt")


def _missing(marker: str) -> str:
    """Why tests of a hardware marker cannot run here; empty where they can."""
    if marker == "gpu":
        return "" if shutil.which("nvidia-smi") else "no NVIDIA GPU here: nvidia-smi is not on the PATH"
    if marker == "asic":
        return "" if os.environ.get("PERWATT_ASIC_HOST") else "no ASIC miner: PERWATT_ASIC_HOST is not set"
    if marker == "meter":
        return "" if os.environ.get("PERWATT_METER") else "no real power meter: PERWATT_METER is not set"
    return ""


def pytest_runtest_setup(item: pytest.Item) -> None:
    required = os.environ.get("PERWATT_REQUIRE", "").split(",")
    for marker in ("gpu", "asic", "meter"):
        if item.get_closest_marker(marker) is None:
            continue
        reason = _missing(marker)
        if reason and marker in required:
            pytest.fail(f"PERWATT_REQUIRE={marker}: {reason}", pytrace=False)
        if reason:
            pytest.skip(reason)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Print each reason for skipping once, with the number of tests."""
    skipped = [report.longrepr for report in terminalreporter.stats.get("skipped", [])]
    reasons = collections.Counter(
        (reason[2] if isinstance(reason, tuple) else str(reason)).removeprefix("Skipped: ") for reason in skipped
    )
    if reasons:
        terminalreporter.section("skipped tests by reason")
    for reason, number in sorted(reasons.items()):
        terminalreporter.write_line(f"{number:4} {reason}")


class FakeWorkload:
    """Does nothing but take time: `n` units of work in `n * unit_s` seconds."""

    name = "fake_cpu"
    version = 1
    unit = "hash"
    variant = "fake"

    def __init__(self, unit_s: float = 0.0005) -> None:
        self.unit_s = unit_s
        self.closed = 0
        self.verified = 0
        self.wrong = ""
        self.raises: Exception | None = None

    def prepare(self) -> None:
        pass

    def verify(self) -> list[Check]:
        if self.wrong == "before":
            raise VerificationError("planted nonce was not found")
        self.verified += 1
        return [Check("known answer", "given")]

    def run(self, n: int) -> Batch:
        assert self.verified, "timed before it was verified"
        if self.raises is not None:
            raise self.raises
        time.sleep(n * self.unit_s)
        return Batch(float(n), n * self.unit_s)

    def check_output(self) -> list[Check]:
        if self.wrong == "after":
            raise VerificationError("the timed call's output was wrong")
        return [Check("timed output", "right")]

    def parameters(self) -> dict[str, object]:
        return {"unit_s": self.unit_s}

    def close(self) -> None:
        self.closed += 1


@pytest.fixture
def fake_workload():
    return FakeWorkload()


@pytest.fixture
def job(tmp_path):
    store = tmp_path / "results"
    store.mkdir()
    return Job.start(get_plan("smoke"), store, ["run", "fake_cpu"])


@pytest.fixture
def cpu_device():
    return Device(kind="cpu", name="a CPU")
