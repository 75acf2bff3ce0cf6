"""The random days can fail: each rule of the gate that is taken out breaks its promise on one of a few days."""

import pytest
from doubles.twin.days import draw
from doubles.twin.promises import broken
from doubles.twin.run_day import run

from bench.control.decision import actions, evidence, gate, step
from bench.control.decision.terms import Limits
from bench.twin.lies import HONEST, Lies
from sites.control.model import UnitState

MOST_DAYS = 60  # after the first one that is tried, which only saves time


def no_feeder(patch):
    patch.setattr(gate.Gate, "_feeder", lambda *_: "")


def nothing_is_reported(patch):
    original = step.Decision
    patch.setattr(step, "Decision", lambda **values: original(**{**values, "codes": ()}))


def no_waves(patch):
    patch.setattr(Limits, "wave_units", lambda *_: 10**6)


def no_ramp(patch):
    patch.setattr(gate.Gate, "_changes_w", lambda *_: (0.0, 0.0))


def no_clocks(patch):
    patch.setattr(gate.Gate, "_too_soon", lambda *_: "")


def no_owner(patch):
    patch.setattr(actions, "_forbidden", lambda *_: "")


def off_is_started(patch):
    original = step.actions

    def careless(setup, units, levels, barred):
        for action in original(setup, units, levels, barred):
            yield action._replace(code="") if action.code == "off_as_found" else action

    patch.setattr(step, "actions", careless)


def halt_is_forgotten(patch):
    original = step._through
    patch.setattr(step, "_through", lambda gate_, setup, units, wanted, _halt, now_s: original(
        gate_, setup, units, wanted, None, now_s
    ))  # fmt: skip


def no_maximum(patch):
    patch.setattr(gate, "moved_w", lambda *_: 0.0)


def nothing_is_restored(patch):
    patch.setattr(step, "restoring", lambda *_: iter(()))


def unknown_is_off(patch):
    original = evidence.worst_w

    def hopeful(setup, terms, unit):
        return 0.0 if unit.state is UnitState.UNKNOWN else original(setup, terms, unit)

    for module in (gate, evidence):
        patch.setattr(module, "worst_w", hopeful)


def a_command_is_an_effect(patch):
    original = evidence.worst_w

    def trusting(setup, terms, unit):
        return terms.power_w(unit.command) if unit.command is not None else original(setup, terms, unit)

    for module in (gate, evidence):
        patch.setattr(module, "worst_w", trusting)


@pytest.mark.parametrize(
    ("mutant", "promise", "lies", "first"),
    [
        (no_feeder, "feeder", None, 1),
        (nothing_is_reported, "report", None, 3),
        (no_waves, "wave", None, 2),
        (no_ramp, "ramp", HONEST, 16),
        (no_clocks, "least times", None, 4),
        (no_clocks, "hour", None, 5),
        (no_owner, "ownership", None, 7),
        (off_is_started, "as found", None, 16),
        (halt_is_forgotten, "halt", Lies(persons=10.0, telemetry=10.0), 27),
        (no_maximum, "maximum", None, 4),
        (nothing_is_restored, "restore", None, 0),
        (unknown_is_off, "feeder", Lies(offline=10.0), 24),
        (a_command_is_an_effect, "feeder", Lies(no_effect=0.5), 55),
    ],
)
def test_a_rule_that_is_taken_out_is_missed(monkeypatch, mutant, promise, lies, first):
    mutant(monkeypatch)
    for seed in range(first, first + MOST_DAYS):
        day = draw(seed, lies)
        if any(words.startswith(promise) for words in broken(day, run(day))):
            return
    pytest.fail(f"no promise of {promise} was broken in {MOST_DAYS} days")
