"""pytest-benchmark with energy: `pytest -p bench.pytest_plugin --perwatt-meter shelly:HOST …`.

Every test that uses `benchmark.pedantic` gets the energy of its measured rounds in `extra_info["perwatt"]` and a record
of its own, written when the test ends; pytest-benchmark writes its file only at the end of the session.
"""

import contextlib
import time
from collections.abc import Callable, Generator
from pathlib import Path
from typing import Any

import pytest

from bench.measure.plans import averaging_time_s, lead_time_s
from bench.meters.protocol import EnergyReading, Meter, MeterOptions
from bench.meters.registry import close_meters, open_meters
from bench.pytest_plugin import timer as timers
from bench.pytest_plugin.energy import Timed, energy_of_rounds, extra_info, measured_rounds, rounds_are_windows
from bench.results.layout import STORE
from hardware_profiles.errors import InputError

TIMER = "bench.pytest_plugin.timer.stamp"
_STATE = pytest.StashKey["_State"]()
_TEST = pytest.StashKey["_Test"]()


class _State:
    """The meters, locks and results folder of a session."""

    def __init__(self, meters: list[Meter], out: Path | None, busy: tuple[str, ...]) -> None:
        self.meters, self.out, self.busy = meters, out, busy
        self.exit = contextlib.ExitStack()


class _Test:
    """The rounds, energies and load of one test."""

    def __init__(self) -> None:
        self.tail_s = 0.0
        self.lead_s = 0.0
        self.timed: Timed | None = None
        self.readings: list[EnergyReading] = []
        self.by_round: dict[str, list[EnergyReading]] = {}
        self.failed = ""


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the options of the group perwatt."""
    group = parser.getgroup("perwatt")
    group.addoption(
        "--perwatt-meter", action="append", default=[], metavar="SPEC", help="a meter, as for `perwatt run`"
    )
    group.addoption("--perwatt-meter-period-s", type=float, default=None, help="update period of a power meter [s]")
    group.addoption("--perwatt-watts", type=float, default=None, help="a declared power: an assumption, never energy")
    group.addoption("--perwatt-out", default=str(STORE), metavar="FOLDER", help="where each test's record goes")


@pytest.hookimpl(tryfirst=True)
def pytest_configure(config: pytest.Config) -> None:
    """Open the meters and replace the default timer by ours."""
    specs, watts = config.getoption("--perwatt-meter"), config.getoption("--perwatt-watts")
    if not specs and watts is None:
        return
    _refuse_what_breaks_energy(config)
    config.option.benchmark_timer = TIMER
    from bench.machine.locks import hold

    options = MeterOptions(period_s=config.getoption("--perwatt-meter-period-s"), watts=watts)
    try:
        meters = open_meters(specs, options)
    except (InputError, RuntimeError) as error:
        raise pytest.UsageError(str(error)) from None
    state = _State(meters, Path(config.getoption("--perwatt-out")), ())
    held = state.exit.enter_context(hold([domain for meter in meters for domain in meter.info.domains]))
    state.busy = held.busy
    config.stash[_STATE] = state


def pytest_unconfigure(config: pytest.Config) -> None:
    """Close the meters and release their locks."""
    state = config.stash.get(_STATE, None)
    if state is not None:
        close_meters(state.meters)
        state.exit.close()


def _refuse_what_breaks_energy(config: pytest.Config) -> None:
    if not config.pluginmanager.hasplugin("benchmark"):
        raise pytest.UsageError("--perwatt-meter: expected pytest-benchmark, got none; pip install pytest-benchmark")
    timer = str(config.getoption("benchmark_timer", TIMER))
    if timer not in {TIMER, "time.perf_counter"}:
        raise pytest.UsageError(f"--perwatt-meter: expected --benchmark-timer={TIMER}, got {timer}")
    if config.getoption("benchmark_precision", None):
        raise pytest.UsageError("--perwatt-meter: expected fixed rounds, got --benchmark-precision, which chooses them")


@pytest.fixture
def energy_benchmark(request: pytest.FixtureRequest, benchmark: Any) -> Callable[..., Any]:
    """Return `run(target, *, rounds, work, unit)`, which keeps the load on before and after the measured rounds."""
    state = request.config.stash.get(_STATE, None)

    def run(target: Callable[[], Any], *, rounds: int = 5, work: float | None = None, unit: str = "call") -> Any:
        benchmark.extra_info.update(work=work, unit=unit)
        infos = [meter.info for meter in state.meters] if state is not None else []
        averaging_s = max(map(averaging_time_s, infos), default=0.0)
        test = request.node.stash.setdefault(_TEST, _Test())
        if infos and not benchmark.disabled:
            test.lead_s = _load(target, lead_time_s(averaging_s))
        result = benchmark.pedantic(target, rounds=rounds)
        if infos and not benchmark.disabled:
            test.tail_s = _load(target, averaging_s)
        return result

    return run


def _load(target: Callable[[], Any], seconds: float) -> float:
    start = time.monotonic()
    while (elapsed_s := time.monotonic() - start) < seconds:
        target()
    return elapsed_s


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Generator[None, Any, Any]:
    """Start each test without stamps, so that it does not use those of another test."""
    state = item.config.stash.get(_STATE, None)
    if state is not None:
        item.stash.setdefault(_TEST, _Test())
        timers.begin([meter.mark for meter in state.meters])
    return (yield)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]) -> Generator[None, Any, Any]:
    """Read the energies after the call, and mark the benchmark of a failed phase, which would be saved as valid."""
    report = yield
    benchmark = (getattr(item, "funcargs", None) or {}).get("benchmark")
    if benchmark is None:
        return report
    if report.failed:
        benchmark.has_error = True
    state, test = item.config.stash.get(_STATE, None), item.stash.get(_TEST, None)
    if state is None or test is None:
        return report
    if report.failed and call.excinfo is not None:
        test.failed = f"{call.when}: {call.excinfo.exconly(tryshort=True)}"
    if call.when == "call":
        _read_energies(benchmark, state, test)
    elif call.when == "teardown" and test.timed is not None:
        _store(item, benchmark, state, test)
    return report


def _read_energies(benchmark: Any, state: _State, test: _Test) -> None:
    timed = measured_rounds(benchmark, timers.stamps(), test.tail_s)
    if test.lead_s:
        timed = Timed(timed.rounds, timed.lead_s + test.lead_s, timed.tail_s, timed.reasons)
    test.timed = timed
    busy = bool(state.busy)
    readings = [energy_of_rounds(meter, timed) for meter in state.meters]
    test.readings = [
        reading.judged(("domain_busy",)) if busy and reading.assumed_power_w is None else reading
        for reading in readings
    ]
    for meter, whole in zip(state.meters, test.readings, strict=True):
        if whole.joules is not None and rounds_are_windows(meter.info, timed):
            test.by_round[meter.info.name] = [meter.energy(each.start_s, each.end_s) for each in timed.rounds]
    work, unit = benchmark.extra_info.get("work"), str(benchmark.extra_info.get("unit", "call"))
    benchmark.extra_info["perwatt"] = extra_info(timed, test.readings, work, unit)


def _store(item: pytest.Item, benchmark: Any, state: _State, test: _Test) -> None:
    from bench.pytest_plugin.records import record_of_test
    from bench.results.folder import prepare_store, write_record

    if state.out is None or test.timed is None or (not test.timed.rounds and not test.failed):
        return
    prepare_store(state.out)
    infos = [meter.info for meter in state.meters]
    record, samples = record_of_test(
        item.nodeid, benchmark.extra_info, test.timed, test.readings, test.by_round, infos, test.failed
    )
    write_record(state.out, record, samples)
