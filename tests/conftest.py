"""Hypothesis profile, hardware markers that skip with a reason or fail, a line a reason, and fixtures for all tests."""

import collections
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

# The tests' matrix products are small, and a BLAS thread that waits for the next one spins. This comes before NumPy's
# import, and the processes that tests start inherit it.
for _name in ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(_name, "1")

# Workers share bytecode, with the asserts of the tests rewritten, even where a container image switches it off.
# Children only read it: a child that is killed, or whose disk is full, could leave a truncated file.
sys.dont_write_bytecode = False
os.environ["PYTHONDONTWRITEBYTECODE"] = "1"

import pytest
from doubles.clock import VirtualClock, installed
from doubles.workload import FakeWorkload
from hypothesis import HealthCheck, settings
from oracles.cuda_hostcheck import BUILDS

from bench.measure.plans import get_plan
from bench.measure.runner import Job
from bench.results.record import Device

COMPILED = Path(__file__).with_name("compiled.py")
# Tests of sockets, threads, children and meters against the real clock. One that waits for a core at the wrong moment
# has two more attempts, which the summary of the run counts; a defect fails three times.
OF_REAL_TIME = (
    "tests/bench/endpoint/", "tests/bench/stratum/", "tests/bench/workloads/asic/", "tests/bench/miners/",
    "tests/bench/cli/run/", "tests/bench/measure/", "tests/bench/machine/", "tests/bench/meters/kinds/",
    "tests/bench/pytest_plugin/", "tests/bench/feeds/", "tests/bench/report/test_in_a_browser", "tests/faults/",
    "tests/sites/scenarios/", "tests/bench/lab/",
)  # fmt: skip
COVERAGE: dict[str, str] = {}  # variables that let a child process measure its own coverage
os.environ["COLUMNS"] = "200"  # no cell is cut or folded, whatever terminal the tests were started from

settings.register_profile("perwatt", deadline=None, suppress_health_check=[HealthCheck.too_slow], derandomize=True)
settings.load_profile("perwatt")


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_setupnodes(config: pytest.Config) -> None:
    """Before the workers of the whole suite start, compile once what each of them would compile for itself."""
    if config.args_source is config.ArgsSource.TESTPATHS:
        unmeasured = {name: value for name, value in os.environ.items() if not name.startswith("COVERAGE_")}
        commands = [[sys.executable, COMPILED, part] for part in ("kernels", "sites", "tests")]
        processes = [subprocess.Popen(command, cwd=config.rootpath, env=unmeasured) for command in commands]
        statuses = [process.wait() for process in processes]
        if any(statuses):
            pytest.exit("what many tests call could not be compiled", returncode=1)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers(config: pytest.Config) -> int:  # noqa: ARG001 (pytest looks for the name)
    """One more worker than cores: half of the suite waits for windows, sockets and children."""
    return 1 + len(os.sched_getaffinity(0))


@pytest.hookimpl(optionalhook=True)
def pytest_handlecrashitem(crashitem: str) -> None:
    """Name the test whose worker died at once: a run that is cut off later prints no summary."""
    sys.stderr.write(f"\nthe worker died in {crashitem}\n")


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Files with slow tests come first, so that no worker begins with one while the others have nothing left."""
    slow = {item.path for item in items if item.get_closest_marker("slow")}
    items.sort(key=lambda item: item.path not in slow)
    for item in items:
        if any(part in item.path.as_posix() for part in OF_REAL_TIME):
            item.add_marker(pytest.mark.flaky(reruns=2))


@pytest.hookimpl(tryfirst=True)
def pytest_configure(config: pytest.Config) -> None:
    """Let all workers share the libraries that the tests build from CUDA C, and their children run without coverage.

    Coverage measures the process that runs the tests. Of the hundreds of commands that the tests start as children,
    nearly every line also runs in that process; measured anew, each would take twice the time.
    """
    if hasattr(config, "workerinput") or not config.getoption("numprocesses", default=None):
        COVERAGE.update({name: os.environ.pop(name) for name in list(os.environ) if name.startswith("COVERAGE_")})
    if BUILDS not in os.environ:
        folder = tempfile.TemporaryDirectory(prefix="perwatt-builds-")
        config.add_cleanup(folder.cleanup)
        config.add_cleanup(lambda: os.environ.pop(BUILDS))
        os.environ[BUILDS] = folder.name


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


@pytest.fixture(scope="session")
def coverage_of_children():
    """Variables with which a child measures its coverage, for code that runs only in children."""
    return COVERAGE


@pytest.fixture
def clock():
    """The clock of the measuring code, which moves only when somebody sleeps."""
    with installed(VirtualClock()) as clock:
        yield clock


@pytest.fixture
def fake_workload(clock):  # noqa: ARG001 (its time is the clock's)
    return FakeWorkload()


@pytest.fixture
def job(tmp_path):
    store = tmp_path / "results"
    store.mkdir()
    return Job.start(get_plan("smoke"), store, ["run", "fake_cpu"])


@pytest.fixture
def cpu_device():
    return Device(kind="cpu", name="a CPU")
