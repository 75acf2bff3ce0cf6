"""Energy of a pytest-benchmark test from its timer's stamps: pure functions, each trap of the timer a reason code."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from bench.diagnostics import unique
from bench.measure.plan import LEAD_FLOOR_S, PERIODS_PER_WINDOW
from bench.meters.protocol import EnergyReading, Meter, MeterInfo, MeterKind

IDLE_BETWEEN_FRAC = 0.01


@dataclass(frozen=True, slots=True)
class Round:
    """One measured round [s, monotonic]."""

    start_s: float
    end_s: float


@dataclass(frozen=True, slots=True)
class Timed:
    """The measured rounds of a test, how long its load was on before and after, and why they may not be used."""

    rounds: tuple[Round, ...]
    lead_s: float
    tail_s: float
    reasons: tuple[str, ...] = ()

    @property
    def span_s(self) -> float:
        """From the start of the first round to the end of the last [s]."""
        return self.rounds[-1].end_s - self.rounds[0].start_s if self.rounds else 0.0

    @property
    def idle_between_frac(self) -> float:
        """Share of that which lies between the rounds [-]: setup and teardown of each."""
        busy_s = sum(one.end_s - one.start_s for one in self.rounds)
        return 1.0 - busy_s / self.span_s if self.span_s > 0.0 else 0.0


def measured_rounds(benchmark: Any, stamps: Sequence[float], tail_s: float = 0.0) -> Timed:
    """Return the measured rounds of a finished `benchmark` fixture.

    Only `pedantic` has a fixed number of rounds and nothing timed after them; its durations must be those of the
    stamps, or the timer was another one.
    """
    if getattr(benchmark, "disabled", False):
        return Timed((), 0.0, 0.0, ("benchmark_disabled",))
    if "pedantic" not in str(getattr(benchmark, "_mode", "")):
        return Timed((), 0.0, 0.0, ("not_pedantic",))
    if getattr(benchmark, "_precision", None) is not None:
        return Timed((), 0.0, 0.0, ("precision_with_power",))
    metadata = benchmark.stats
    durations = list(metadata.stats.data) if metadata is not None else []
    count = 2 * len(durations)
    if not durations or len(stamps) < count or len(stamps) % 2:
        return Timed((), 0.0, 0.0, ("timer_mismatch",))
    last = stamps[len(stamps) - count :]
    rounds = tuple(Round(last[i], last[i + 1]) for i in range(0, count, 2))
    timed = [(one.end_s - one.start_s) / metadata.iterations for one in rounds]
    if any(abs(a - b) > 1e-9 * max(a, b, 1e-9) for a, b in zip(timed, durations, strict=True)):
        return Timed((), 0.0, 0.0, ("timer_mismatch",))
    warm = stamps[: len(stamps) - count]
    return Timed(rounds, rounds[0].start_s - warm[0] if warm else 0.0, tail_s)


def energy_of_rounds(meter: Meter, timed: Timed) -> EnergyReading:
    """Return the energy over the measured rounds: over their span where they follow each other closely."""
    info = meter.info
    codes = list(timed.reasons) + needed_codes(info, timed)
    if not timed.rounds or info.kind is MeterKind.DECLARED:
        start, end = (timed.rounds[0].start_s, timed.rounds[-1].end_s) if timed.rounds else (0.0, 0.0)
        empty = meter.energy(start, end) if info.kind is MeterKind.DECLARED else _nothing(info)
        return empty.judged(codes)
    whole = meter.energy(timed.rounds[0].start_s, timed.rounds[-1].end_s)
    return whole.judged(codes)


def needed_codes(info: MeterInfo, timed: Timed) -> list[str]:
    """Return what the rounds lack of the rules 1 to 3 for this meter."""
    if not timed.rounds or info.kind is MeterKind.DECLARED:
        return []
    codes = []
    averaging_s = max(info.averaging_s, info.period_s)
    if timed.span_s < PERIODS_PER_WINDOW * info.period_s:
        codes.append("window_short")
    if timed.lead_s < max(LEAD_FLOOR_S, 3.0 * averaging_s) or timed.tail_s < info.averaging_s:
        codes.append("lead_short")
    if timed.idle_between_frac > IDLE_BETWEEN_FRAC:
        codes.append("work_energy_mismatch")
    return codes


def rounds_are_windows(info: MeterInfo, timed: Timed) -> bool:
    """Return whether each round alone is long enough for this meter, so that the rounds give a spread."""
    return all(one.end_s - one.start_s >= PERIODS_PER_WINDOW * info.period_s for one in timed.rounds)


def extra_info(timed: Timed, readings: Sequence[EnergyReading], work: float | None, unit: str) -> dict[str, Any]:
    """Return what goes into pytest-benchmark's `extra_info`, JSON-ready; missing is null, never 0."""
    rounds = len(timed.rounds)
    return {
        "schema": "perwatt.pytest/1",
        "rounds_s": [[one.start_s, one.end_s] for one in timed.rounds],
        "span_s": timed.span_s,
        "lead_s": timed.lead_s,
        "unit": unit,
        "work_per_round": work,
        "energy": [
            {
                "meter": reading.meter,
                "joules": reading.joules,
                "joules_per_unit": reading.joules / (work * rounds) if reading.joules and work and rounds else None,
                "mean_power_w": reading.mean_power_w,
                "boundary": reading.boundary,
                "tier": reading.tier.value,
                "accuracy_frac": reading.accuracy_frac,
                "samples": reading.samples,
                "reasons": list(unique(reading.reasons)),
                "warnings": list(unique(reading.warnings)),
                "assumed_power_w": reading.assumed_power_w,
            }
            for reading in readings
        ],
    }


def _nothing(info: MeterInfo) -> EnergyReading:
    return EnergyReading(info.name, None, info.boundary, info.tier, info.accuracy_frac, info.accuracy_source, 0.0)
