"""Energy of a pytest-benchmark test from the stamps of its timer, as pure functions; every doubt is a reason code."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from bench import limits
from bench.diagnostics import unique
from bench.measure.plans import averaging_time_s, lead_time_s
from bench.meters.protocol import EnergyReading, Meter, MeterInfo, MeterKind
from bench.pytest_plugin.entry import SCHEMA, Entry


@dataclass(frozen=True, slots=True)
class Round:
    """One measured round [s, monotonic]."""

    start_s: float
    end_s: float


@dataclass(frozen=True, slots=True)
class Timed:
    """The measured rounds of a test."""

    rounds: tuple[Round, ...]
    lead_s: float  # [s] load before the first round
    tail_s: float  # [s] load after the last round
    reasons: tuple[str, ...] = ()  # codes why the rounds have no energy
    iterations: int = 1  # calls of the function under test a round

    @property
    def span_s(self) -> float:
        """Time from the start of the first round to the end of the last [s]."""
        return self.rounds[-1].end_s - self.rounds[0].start_s if self.rounds else 0.0

    @property
    def idle_between_frac(self) -> float:
        """Share of the span between the rounds [-], the time of their setup and teardown."""
        busy_s = sum(each.end_s - each.start_s for each in self.rounds)
        return 1.0 - busy_s / self.span_s if self.span_s > 0.0 else 0.0


def measured_rounds(benchmark: Any, stamps: Sequence[float], tail_s: float = 0.0) -> Timed:
    """Return the measured rounds of a finished `benchmark` fixture.

    Only `pedantic` has a fixed number of rounds and times nothing after them. Its durations must equal those of the
    stamps; otherwise another timer was used.

    Parameters
    ----------
    benchmark
        The fixture.
    stamps
        All times of the timer since the test began [s, monotonic].
    tail_s
        Load after the last round [s].
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
    timed = [(each.end_s - each.start_s) / metadata.iterations for each in rounds]
    if any(abs(a - b) > 1e-9 * max(a, b, 1e-9) for a, b in zip(timed, durations, strict=True)):
        return Timed((), 0.0, 0.0, ("timer_mismatch",))
    warm = stamps[: len(stamps) - count]
    lead_s = rounds[0].start_s - warm[0] if warm else 0.0
    return Timed(rounds, lead_s, tail_s, iterations=metadata.iterations)


def energy_of_rounds(meter: Meter, timed: Timed) -> EnergyReading:
    """Return the energy over the span of the measured rounds."""
    info = meter.info
    codes = list(timed.reasons) + needed_codes(info, timed)
    if not timed.rounds or info.kind is MeterKind.DECLARED:
        start, end = (timed.rounds[0].start_s, timed.rounds[-1].end_s) if timed.rounds else (0.0, 0.0)
        empty = meter.energy(start, end) if info.kind is MeterKind.DECLARED else EnergyReading.missing(info, 0.0)
        return empty.judged(codes)
    whole = meter.energy(timed.rounds[0].start_s, timed.rounds[-1].end_s)
    return whole.judged(codes)


def needed_codes(info: MeterInfo, timed: Timed) -> list[str]:
    """Return the codes of the method rules 1 to 3 that the rounds break for this meter."""
    if not timed.rounds or info.kind is MeterKind.DECLARED:
        return []
    codes = []
    if timed.span_s < limits.PERIODS_PER_WINDOW * info.period_s:
        codes.append("window_short")
    if timed.lead_s < lead_time_s(averaging_time_s(info)) or timed.tail_s < info.averaging_s:
        codes.append("lead_short")
    if timed.idle_between_frac > limits.IDLE_BETWEEN_ROUNDS_FRAC:
        codes.append("work_energy_mismatch")
    return codes


def rounds_are_windows(info: MeterInfo, timed: Timed) -> bool:
    """Return whether every single round is long enough for this meter, so that the rounds give a spread."""
    return all(each.end_s - each.start_s >= limits.PERIODS_PER_WINDOW * info.period_s for each in timed.rounds)


def measured_entry(timed: Timed, readings: Sequence[EnergyReading], entry: Entry) -> dict[str, Any]:
    """Return the entry for pytest-benchmark's `extra_info` as JSON-ready data; a missing value is null, never 0."""
    work = entry.work * timed.iterations if entry.work else None
    rounds = len(timed.rounds)
    return {
        **entry.model_dump(include={"work", "unit", "workload", "variant", "version"}, exclude_unset=True),
        "schema": SCHEMA,
        "rounds_s": [[each.start_s, each.end_s] for each in timed.rounds],
        "span_s": timed.span_s,
        "lead_s": timed.lead_s,
        "unit": entry.unit,
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
