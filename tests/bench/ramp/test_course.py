"""A simulated unit is switched through its lever, read by a late wall meter, and brought back in every ending."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from doubles.ramp.bench import RULE, Bench
from doubles.ramp.truth import true_figures

from bench.errors import RunFailedError
from bench.levers.journal import Device, Journal, pending
from bench.levers.protocol import Answer, Reply
from bench.ramp.course import Course
from bench.ramp.repetition import Source, read
from bench.ramp.rule import Meter, Rule
from bench.ramp.samples import Samples
from bench.ramp.summary import figures
from bench.twin.kinds import KINDS
from bench.twin.lies import Lies
from hardware_profiles.errors import InputError


@pytest.fixture(autouse=True)
def _state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    yield
    assert pending() == []  # whatever the ending, nothing is left to bring back


def _figures(bench: Bench, course: Course, rule: Rule):
    power = Source(Samples.of(bench.readings), bench.late)
    rate = Source(Samples.of(course.rates), Meter(0.0, 0.0))
    read_ = [read(switch, power, course.full, (rate, course.usual), rule) for switch in course.switches]
    return figures(read_, course.full, course.usual, 0.0)


@pytest.mark.parametrize(("period_s", "lag_s"), [(1.0, 0.0), (5.0, 3.0), (10.0, 15.0)])
@pytest.mark.parametrize("kind", KINDS)
def test_the_known_ramps_of_the_twin_are_inside_the_intervals(kind: str, period_s: float, lag_s: float) -> None:
    """Of 210 sessions over all kinds and 20 pairs of period and lag, every interval held the truth (docs/evidence)."""
    bench = Bench(kind, period_s=period_s, lag_s=lag_s)
    rule = replace(RULE, plateau_s=max(60.0, 12.0 * period_s))
    course = bench.carry_out(wait_s=3000.0, rule=rule)
    assert course.fault is None
    known = _figures(bench, course, rule)
    for name, truth in true_figures(bench, course, known, rule).items():
        low, high = known[name].interval
        assert low <= truth <= high, name


def test_the_unit_works_again_and_the_journal_is_empty() -> None:
    bench = Bench()
    course = bench.carry_out()
    assert len(course.switches) == 2
    assert all(switch.on_s - switch.off_s >= 90.0 for switch in course.switches)
    assert bench.unit.level_w(bench.now_s) == bench.unit.kind.full_w
    assert bench.said[-1] == "restored   the device is as it was found"


@pytest.mark.parametrize("readings", [75, 110, 300, 500])
def test_ctrl_c_at_any_moment_brings_the_unit_back(readings: int) -> None:
    bench = Bench()
    bench.interrupt_at = readings
    with pytest.raises(KeyboardInterrupt):
        bench.carry_out()
    assert bench.unit.level_w(bench.now_s) == bench.unit.kind.full_w


def test_a_unit_that_is_off_as_found_is_refused_without_a_command() -> None:
    bench = Bench(awake=False)
    with pytest.raises(RunFailedError, match="what was off stays off; nothing was changed"):
        bench.carry_out()
    assert bench.lever.commands == 0


def test_the_journal_is_on_the_disk_before_the_first_command() -> None:
    bench = Bench()
    send, stood = bench.lever.to, []

    async def to(level: str, deadline_s: float) -> Answer:
        stood.append([(str(entry.device), entry.level) for entry in pending()])
        return await send(level, deadline_s)

    bench.lever.to = to  # type: ignore[method-assign]
    bench.carry_out()
    assert stood == [[("memory:unit-1", "on")]] * 2


def test_what_a_killed_run_left_is_to_be_brought_back_first() -> None:
    bench = Bench()
    device = Device("memory", "unit-1", {}, "simulated:unit-1")
    with Journal("ramp memory:unit-1") as journal:
        journal.hold(device, {"level_w": 3250.0}, "on")
        journal.close()
        with pytest.raises(RunFailedError, match="first run `perwatt levers restore memory:unit-1`"):
            bench.carry_out()
        journal.remove(device)
    assert bench.lever.commands == 0


def test_a_device_that_another_program_sets_is_refused() -> None:
    bench = Bench()
    device = Device("memory", "unit-1", {}, "simulated:unit-1")
    with Journal("control site-1") as journal:
        journal.hold(device, {"level_w": 3250.0}, "on")
        with pytest.raises(InputError, match="expected a device that nobody else sets"):
            bench.carry_out()
        journal.remove(device)
    assert bench.lever.commands == 0


def test_a_lever_that_writes_flash_is_not_switched_three_times() -> None:
    bench = Bench()
    bench.lever.writes_flash = True
    with pytest.raises(RunFailedError, match="--repeats 2 is the most"):
        bench.carry_out(repeats=3)
    assert bench.lever.commands == 0


def test_a_lever_without_off_is_refused() -> None:
    bench = Bench()
    bench.lever.can = lambda level: f"no_such_level: {level}"  # type: ignore[method-assign]
    with pytest.raises(RunFailedError, match="cannot be switched off"):
        bench.carry_out()


def test_a_command_without_effect_is_a_ramp_that_never_comes() -> None:
    bench = Bench(lies=Lies(no_effect=1.0))
    course = bench.carry_out(wait_s=300.0)
    assert course.fault is not None
    assert course.fault.code == "ramp_never_off"


def test_a_unit_that_does_not_wake_is_stored_as_never_full_and_left_at_its_setting() -> None:
    bench = Bench(lies=Lies(never_wakes=1.0))
    course = bench.carry_out(wait_s=900.0)
    assert course.fault is not None
    assert course.fault.code == "ramp_never_full"
    assert len(course.switches) == 1


def test_a_refused_command_ends_the_run_with_its_words() -> None:
    bench = Bench()

    async def refuse(level: str, deadline_s: float) -> Answer:  # noqa: ARG001
        return Answer(Reply.REFUSED, "wrong password")

    bench.lever.to = refuse  # type: ignore[method-assign]
    course = bench.carry_out()
    assert course.fault is not None
    assert (course.fault.code, course.fault.detail) == ("ramp_refused", "off: refused (wrong password)")
