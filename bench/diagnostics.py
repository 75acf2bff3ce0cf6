"""Every reason code and every warning in one table, each with its sentence, its effect and its cure."""

# ruff: noqa: E501 (a table: one row a line)

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum


class Effect(StrEnum):
    """What a code does to the figures it stands beside."""

    NOTE = "note"
    WARN = "warn"
    NO_ENERGY = "no_energy"
    INVALID = "invalid"


@dataclass(frozen=True, slots=True)
class Diagnostic:
    """One code: what it says, what it does, what helps. `publish` is its effect under the plan `publish`."""

    code: str
    sentence: str
    cure: str
    effect: Effect
    rule: int | None = None
    publish: Effect | None = None


# fmt: off
_ROWS = (
    Diagnostic("energy_missing", "a meter was asked for and gave no energy for every window", "read the codes beside this one; run again", Effect.WARN, 19, Effect.INVALID),
    # work and window
    Diagnostic("wrong_answer", "the variant gave a wrong answer on this device", "do not use this variant here; report it with `perwatt doctor --json`", Effect.INVALID, 18),
    Diagnostic("run_failed", "the workload raised an error during the run", "read the detail beside this code; run again with --plan smoke", Effect.INVALID, 19),
    Diagnostic("window_missing", "a planned window was not taken", "run again; nothing was interpolated in its place", Effect.INVALID, 19),
    Diagnostic("not_finite", "a figure is not a finite number", "check the meter and the workload; run again", Effect.INVALID, 19),
    Diagnostic("no_work", "a window ended without any work done", "run again; lower the work per call", Effect.INVALID, 1),
    Diagnostic("work_energy_mismatch", "work and energy come from different windows", "read the meter over the same window as the work", Effect.NO_ENERGY, 1),
    Diagnostic("window_short", "the window is shorter than its plan asks for", "use a longer window: --plan quick or publish", Effect.NO_ENERGY, 2),
    Diagnostic("duration_mismatch", "the reported duration differs from the end minus the start", "check that nothing suspended or stopped the process", Effect.INVALID, 4),
    Diagnostic("plan_smoke", "taken with the plan smoke: a check that it runs, not a figure to compare", "use --plan quick or publish", Effect.WARN, 2),
    Diagnostic("lead_short", "the load was not on long enough before or after the window", "let the runner keep its lead; do not shorten it", Effect.NO_ENERGY, 3),
    # sampling
    Diagnostic("not_metered", "no meter covers this device", "name one: --meter shelly:HOST, --meter trace:FILE, or --watts as an assumption", Effect.NOTE),
    Diagnostic("declared_power", "the power was declared, not measured", "name a meter: --meter shelly:HOST or --meter trace:FILE", Effect.NOTE, 20),
    Diagnostic("too_few_samples", "fewer than 50 distinct samples in the window", "lengthen the window or shorten --meter-period-s if the meter updates faster; raise the meter's resolution", Effect.NO_ENERGY, 4),
    Diagnostic("sample_gap", "a gap between samples is longer than three periods", "check the network or the load of this machine; use a wired meter", Effect.NO_ENERGY, 4),
    Diagnostic("edge_missing", "no reading on the far side of a window's edge", "keep the meter running before and after the window", Effect.NO_ENERGY, 4),
    Diagnostic("meter_too_slow", "the meter updates less often than every 5 s: context, not a headline", "use a meter that updates at least every second", Effect.NO_ENERGY, 4),
    Diagnostic("samples_stale", "the meter froze: it repeated one sample for many periods", "restart the meter; check that its own clock moves", Effect.NO_ENERGY, 4),
    Diagnostic("samples_repeated", "the meter never changed its answer: a constant load or a dead meter", "check that the device is behind this meter: its idle and loaded power should differ", Effect.WARN, 4),
    Diagnostic("read_failed", "some readings failed and are missing", "check the meter's connection; missing readings were not filled in", Effect.WARN, 7),
    Diagnostic("meter_lost", "the meter stopped answering during the run", "check power and network of the meter, then run again", Effect.NO_ENERGY, 19),
    Diagnostic("meter_unavailable", "the meter could not be opened", "see `perwatt doctor` for the cure on this machine", Effect.NO_ENERGY, 19),
    Diagnostic("bad_sample", "the meter gave something that is not a finite number; it counts as missing", "check the meter's firmware and its answer with a browser", Effect.WARN, 19),
    Diagnostic("no_power", "the meter read zero throughout the window", "switch the plug on; check that the device is behind this meter", Effect.NO_ENERGY, 19),
    Diagnostic("trace_malformed", "lines of the log could not be read and are missing", "look at the line named; name the columns with column= and time_format=", Effect.WARN, 19),
    Diagnostic("trace_clock_back", "the log's own clock went back", "export the log in UTC, without a change to or from summer time in it", Effect.NO_ENERGY, 4),
    Diagnostic("negative_power", "the meter gave negative power", "check the direction of the current clamp or the plug", Effect.NO_ENERGY, 19),
    Diagnostic("counter_went_back", "the counter went back by more than a wrap explains", "the driver or the meter was restarted during the window: run again", Effect.NO_ENERGY, 7),
    Diagnostic("counter_wrapped", "the counter wrapped inside the window and was unwrapped", "nothing to do: the modulus is known", Effect.NOTE, 7),
    Diagnostic("wrap_ambiguous", "readings were so far apart that the counter may have wrapped more than once", "poll at least once a second; check the load of this machine", Effect.NO_ENERGY, 7),
    Diagnostic("counter_stalled", "the energy counter did not move during the window", "reload the driver; the device may not support energy counting", Effect.NO_ENERGY, 6),
    Diagnostic("meter_disagreement", "the energy counter and the integral of power differ by more than 5 %", "do not use this device's counter; meter at the wall", Effect.NO_ENERGY, 5),
    Diagnostic("inside_exceeds_outside", "a meter of an inner boundary read more than one that contains it", "check which device is behind which meter", Effect.WARN, 5),
    Diagnostic("scope_changed", "the meter changed what it covers while it was read", "do not change the power scope or the driver during a run", Effect.NO_ENERGY, 6),
    Diagnostic("clock_step", "the wall clock was stepped during the run", "stop manual clock changes; durations were taken on the monotonic clock", Effect.WARN, 4),
    Diagnostic("clock_step_join", "the wall clock was stepped, so the log cannot be joined to this run", "run again while the clock is left alone", Effect.NO_ENERGY, 4),
    Diagnostic("trace_not_covering", "the log does not cover the window", "let the log run on past the end; check --clock-offset-s", Effect.NO_ENERGY, 4),
    # load, clocks, device
    Diagnostic("no_idle", "no idle power was taken", "leave --no-idle away", Effect.NOTE, 9, Effect.WARN),
    Diagnostic("idle_drift", "idle power before and after differ by more than 5 %", "let the device cool down and close other programs", Effect.WARN, 9),
    Diagnostic("unsteady", "rate or power drifted: split halves or slope outside the limits", "let the device warm up longer; fix its clocks and cooling", Effect.WARN, 10, Effect.INVALID),
    Diagnostic("unstable", "the windows spread by more than 2 %", "close other programs; use more windows (--plan publish)", Effect.WARN, 12),
    Diagnostic("spread_warn", "the windows spread by more than 1 %", "close other programs if a smaller interval is needed", Effect.NOTE, 12),
    Diagnostic("throttled_hardware", "the device slowed down for hardware, thermal or power-brake reasons", "improve cooling or power supply, then run again", Effect.INVALID, 11),
    Diagnostic("throttled_power_cap", "the device ran at its power cap, which is normal at full load", "nothing to do; the cap is part of the settings", Effect.NOTE, 11),
    Diagnostic("clock_low", "the mean clock was below 75 % of the default without a power cap", "check the clock settings and the cooling", Effect.INVALID, 11),
    Diagnostic("cpu_throttled", "the CPU counted thermal throttling during the run", "improve cooling, then run again", Effect.WARN, 11),
    Diagnostic("foreign_load", "other programs used the device during the windows", "close them; on a shared machine expect a wider interval", Effect.WARN, 16),
    Diagnostic("domain_busy", "another run holds this power domain", "wait for the other run to end", Effect.NO_ENERGY, 16),
    Diagnostic("another_run", "another perwatt run used this machine at the same time", "run one at a time", Effect.WARN, 16),
    Diagnostic("settings_changed", "the device's settings changed during the run", "leave power limit, clocks and governor alone during a run", Effect.INVALID, 17),
    Diagnostic("benchmark_disabled", "pytest-benchmark was disabled", "leave --benchmark-disable away", Effect.NO_ENERGY),
    Diagnostic("not_pedantic", "the test let pytest-benchmark choose its rounds, so its stamps are not known to be the measured ones", "use benchmark.pedantic with fixed rounds, or the fixture energy_benchmark", Effect.NO_ENERGY),
    Diagnostic("precision_with_power", "precision= picks the number of rounds while they run", "leave precision= away where energy is wanted", Effect.NO_ENERGY),
    Diagnostic("timer_mismatch", "the rounds were not timed by perwatt's timer", "use --benchmark-timer=bench.pytest_plugin.timer.stamp and no timer= of the test's own", Effect.NO_ENERGY),
    Diagnostic("test_failed", "the test failed after or during its benchmark", "mend the test; nothing of it is kept as a figure", Effect.INVALID, 19),
    Diagnostic("imported", "imported from a file of another tool: its windows were not taken by perwatt's runner", "measure with perwatt run where a verdict is wanted", Effect.NOTE, 20),
    Diagnostic("runner_overhead", "the runner itself used more than 0.5 % of a window", "use longer windows", Effect.WARN, 1),
)
# fmt: on

TABLE: dict[str, Diagnostic] = {row.code: row for row in _ROWS}
"""All codes; a record that holds any other is refused."""


def lookup(code: str) -> Diagnostic:
    """Return the row of a code.

    Raises
    ------
    KeyError
        No such code; a programming error, never a user's.
    """
    return TABLE[code]


def effect(code: str, plan: str = "quick") -> Effect:
    """Return what a code does under a plan."""
    row = TABLE[code]
    return row.publish if plan == "publish" and row.publish is not None else row.effect


def invalidates(codes: Iterable[str], plan: str = "quick") -> bool:
    """Return whether one of the codes makes the whole run invalid under this plan."""
    return any(effect(code, plan) is Effect.INVALID for code in codes)


def forbids_energy(codes: Iterable[str], plan: str = "quick") -> bool:
    """Return whether one of the codes leaves no joules, whether or not the rate stands."""
    return any(effect(code, plan) in (Effect.INVALID, Effect.NO_ENERGY) for code in codes)


def sentence(code: str) -> str:
    """Return the code's sentence and its cure as one line for people."""
    row = TABLE.get(code)
    return f"{code}: {row.sentence}; {row.cure}" if row else code


def unique(codes: Iterable[str]) -> tuple[str, ...]:
    """Return the codes without repeats, in the order of first appearance."""
    return tuple(dict.fromkeys(codes))
