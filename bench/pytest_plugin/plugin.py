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

from bench.measure.energy import cross_check, read_windows
from bench.measure.plans import averaging_time_s, lead_time_s
from bench.meters.protocol import EnergyReading, Meter, MeterOptions
from bench.meters.registry import metering
from bench.pytest_plugin import timer as timers
from bench.pytest_plugin.energy import Timed, energy_of_rounds, measured_entry, measured_rounds, rounds_are_windows
from bench.pytest_plugin.entry import KEY, Entry, entry_of
from bench.results.layout import STORE
from hardware_profiles.errors import InputError

TIMER = "bench.pytest_plugin.timer.stamp"
_STATE = pytest.StashKey["_State"]()
_TEST = pytest.StashKey["_Test"]()


class _State:
    """The meters, locks and results folder of a session."""

    def __init__(self, meters: list[Meter], out: Path, endings: contextlib.ExitStack) -> None:
        self.meters, self.out, self.exit = meters, out, endings
        self.busy: tuple[str, ...] = ()
        self.notices: list[str] = []
        self.unwritten: list[str] = []  # one line for each record that its folder refused


class _Test:
    """The rounds, energies and load of one test."""

    def __init__(self) -> None:
        self.tail_s = 0.0
        self.lead_s = 0.0
        self.timed: Timed | None = None
        self.entry = Entry()
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
    from bench.results.writing import prepare_store

    options = MeterOptions(period_s=config.getoption("--perwatt-meter-period-s"), watts=watts)
    out = Path(config.getoption("--perwatt-out"))
    try:
        notice = prepare_store(out)
    except InputError as error:
        raise pytest.UsageError(str(error).replace("--out", "--perwatt-out", 1)) from None
    endings = contextlib.ExitStack()
    try:
        meters = endings.enter_context(metering(specs, options))
    except (InputError, RuntimeError) as error:
        raise pytest.UsageError(str(error)) from None
    state = _State(meters, out, endings)
    state.notices += [notice] if notice else []
    held = state.exit.enter_context(hold([domain for meter in meters for domain in meter.info.domains]))
    state.busy = held.busy
    config.stash[_STATE] = state


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session: pytest.Session) -> None:
    """Let a session fail whose records could not all be written."""
    state = session.config.stash.get(_STATE, None)
    if state is not None and state.unwritten and session.exitstatus == pytest.ExitCode.OK:
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say what the results folder cannot do, and where the records are that it refused."""
    state = terminalreporter.config.stash.get(_STATE, None)
    for line in (*state.notices, *state.unwritten) if state is not None else ():
        terminalreporter.write_line(f"perwatt: {line}")


def pytest_unconfigure(config: pytest.Config) -> None:
    """Close the meters and release their locks."""
    state = config.stash.get(_STATE, None)
    if state is not None:
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
    """Return `run(target, *, rounds, work, unit)`, which keeps the load on before and after the measured rounds.

    `work` [unit] is that of one call. The entry `extra_info["perwatt"]` keeps both.
    """
    state = request.config.stash.get(_STATE, None)

    def run(target: Callable[[], Any], *, rounds: int = 5, work: float | None = None, unit: str = "call") -> Any:
        stated = {"unit": unit} if work is None else {"work": work, "unit": unit}
        benchmark.extra_info[KEY] = {**benchmark.extra_info.get(KEY, {}), **stated}
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
    """Start each test without stamps, so that it does not use those of another test; a wrong entry fails the test."""
    state = item.config.stash.get(_STATE, None)
    if state is None:
        return (yield)
    test = item.stash.setdefault(_TEST, _Test())
    timers.begin([meter.mark for meter in state.meters])
    done = yield
    benchmark = (getattr(item, "funcargs", None) or {}).get("benchmark")
    if benchmark is not None:
        test.entry = entry_of(benchmark.extra_info, item.nodeid)
    return done


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
        _store(item, state, test)
    return report


def _read_energies(benchmark: Any, state: _State, test: _Test) -> None:
    timed = measured_rounds(benchmark, timers.stamps(), test.tail_s)
    if test.lead_s:
        timed = Timed(timed.rounds, timed.lead_s + test.lead_s, timed.tail_s, timed.reasons)
    test.timed = timed
    busy = bool(state.busy)
    infos = [meter.info for meter in state.meters]
    readings = [whole for (whole,) in cross_check(infos, [[energy_of_rounds(m, timed)] for m in state.meters])]
    test.readings = [
        reading.judged(("domain_busy",)) if busy and reading.assumed_power_w is None else reading
        for reading in readings
    ]
    used = [
        meter
        for meter, whole in zip(state.meters, test.readings, strict=True)
        if whole.joules is not None and rounds_are_windows(meter.info, timed)
    ]
    spans = [(each.start_s, each.end_s) for each in timed.rounds]
    by_round = cross_check([meter.info for meter in used], read_windows(used, spans))
    test.by_round = {meter.info.name: energies for meter, energies in zip(used, by_round, strict=True)}
    benchmark.extra_info[KEY] = measured_entry(timed, test.readings, test.entry)


def _store(item: pytest.Item, state: _State, test: _Test) -> None:
    from bench.errors import RunFailedError
    from bench.pytest_plugin.records import record_of_test
    from bench.results.writing import write_record

    if test.timed is None or (not test.timed.rounds and not test.failed):
        return
    infos = [meter.info for meter in state.meters]
    record, samples = record_of_test(
        item.nodeid, test.entry, test.timed, test.readings, test.by_round, infos, test.failed
    )
    try:
        write_record(state.out, record, samples)
    except RunFailedError as error:  # the session goes on
        state.unwritten.append(str(error))
