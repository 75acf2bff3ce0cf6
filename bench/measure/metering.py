"""From meters and the spans of a run to energies: per window, idle, the gap between two meters. Prints nothing."""

import math
import statistics
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import combinations
from typing import Literal

from bench.measure.windows import Taken
from bench.meters.protocol import UNSTATED_ACCURACY_FRAC, EnergyReading, Meter, MeterInfo, MeterKind
from bench.results.folder import Sample
from bench.results.record import Energy, IdlePower, MetersGap, MeterUsed, Window
from hardware_profiles.words import BOUNDARIES

DISAGREEMENT_FRAC = 0.05
MARGIN_S = 5.0


@dataclass(frozen=True, slots=True)
class IdleSpan:
    """A stretch without load [s, monotonic]."""

    when: Literal["before", "after"]
    start_s: float
    end_s: float


@dataclass(frozen=True, slots=True)
class Metered:
    """The windows with their energies, and what else the meters gave."""

    windows: tuple[Window, ...]
    used: tuple[MeterUsed, ...] = ()
    idle: tuple[IdlePower, ...] = ()
    gaps: tuple[MetersGap, ...] = ()
    samples: list[Sample] = field(default_factory=list)
    rested: tuple[tuple[str, float, float], ...] = ()

    def idle_spans(self) -> dict[str, object]:
        """Return when the device rested, in UTC [s since 1970], for a log that is attached later."""
        return {"idle_spans_utc": [list(span) for span in self.rested]} if self.rested else {}

    @property
    def without_joules(self) -> tuple[Window, ...]:
        """The windows of an invalid run: raw work and reasons stay, nothing that somebody could average."""
        return tuple(
            window.model_copy(
                update={
                    "energy": tuple(
                        energy.model_copy(update={"joules": None, "half_energies_j": None}) for energy in window.energy
                    )
                }
            )
            for window in self.windows
        )


def read_all(meters: Sequence[Meter], taken: Taken, idle: Sequence[IdleSpan], unit: str) -> Metered:
    """Read every meter over every window and idle span; called when the last of them is over."""
    reading = [meter for meter in meters if meter.info.kind is not MeterKind.DECLARED]
    windows = list(taken.windows)
    samples = [
        Sample("work", i, call.start_s, call.end_s, _utc_s(windows[i], call.start_s), call.work, unit)
        for i, calls in enumerate(taken.calls)
        for call in calls
    ]
    by_meter = _cross_check([[_energy(meter, start, end) for start, end in taken.spans] for meter in reading])
    for energies in by_meter:
        for index, energy in enumerate(energies):
            held = (*windows[index].energy, as_energy(energy))
            windows[index] = windows[index].model_copy(update={"energy": held})
    shift_s = time.time() - time.monotonic()
    rests = [(span, meter.info.name, _energy(meter, span.start_s, span.end_s)) for span in idle for meter in reading]
    for meter in reading:
        samples.extend(_meter_samples(meter, taken.spans, idle))
    return Metered(
        windows=tuple(windows),
        used=tuple(as_used(meter.info) for meter in reading),
        idle=tuple(
            IdlePower(meter=name, when=span.when, power_w=rest.mean_power_w, duration_s=rest.duration_s)
            for span, name, rest in rests
            if rest.mean_power_w is not None
        ),
        gaps=gaps_of(by_meter),
        samples=samples,
        rested=tuple((span.when, span.start_s + shift_s, span.end_s + shift_s) for span in idle),
    )


def as_energy(reading: EnergyReading) -> Energy:
    """Return a reading as the record keeps it."""
    return Energy.model_validate(
        {
            "meter": reading.meter,
            "boundary": reading.boundary,
            "tier": reading.tier.value,
            "joules": reading.joules,
            "accuracy_frac": reading.accuracy_frac,
            "accuracy_source": reading.accuracy_source,
            "samples": reading.samples,
            "largest_gap_s": reading.largest_gap_s,
            "half_energies_j": reading.half_energies_j,
            "reasons": reading.reasons,
            "warnings": reading.warnings,
            "detail": reading.detail,
        }
    )


def accuracy_frac(info: MeterInfo | MeterUsed) -> float:
    """Return the relative limits of a meter [-]: those stated, else 5 % for tier C and 10 % for tier D."""
    if info.accuracy_frac is not None:
        return info.accuracy_frac
    return UNSTATED_ACCURACY_FRAC[info.tier]  # type: ignore[index]


def _cross_check(by_meter: Sequence[list[EnergyReading]]) -> list[list[EnergyReading]]:
    """Take the joules from two meters of one boundary that differ by more than 5 % and their accuracies (rule 5)."""
    checked = [list(energies) for energies in by_meter]
    for a, b in combinations(range(len(checked)), 2):
        for index, (one, other) in enumerate(zip(checked[a], checked[b], strict=True)):
            if one.boundary != other.boundary or one.joules is None or other.joules is None:
                continue
            allowed = max(DISAGREEMENT_FRAC, math.hypot(one.accuracy_frac or 0.0, other.accuracy_frac or 0.0))
            if abs(one.joules / other.joules - 1.0) > allowed:
                checked[a][index] = one.judged(("meter_disagreement",))
                checked[b][index] = other.judged(("meter_disagreement",))
    return checked


def gaps_of(by_meter: Sequence[Sequence[EnergyReading]]) -> tuple[MetersGap, ...]:
    """Return the ratio of each two meters over the windows that both have, the inner boundary over the outer."""
    found = []
    for pair in combinations(by_meter, 2):
        if not pair[0] or not pair[1]:
            continue
        inner, outer = sorted(pair, key=lambda energies: BOUNDARIES.index(energies[0].boundary))
        ratios = [a.joules / b.joules for a, b in zip(inner, outer, strict=True) if a.joules is not None and b.joules]
        if ratios:
            found.append(
                MetersGap(
                    inner=inner[0].meter,
                    inner_boundary=inner[0].boundary,
                    outer=outer[0].meter,
                    outer_boundary=outer[0].boundary,
                    inner_over_outer=statistics.fmean(ratios),
                )
            )
    return tuple(found)


def as_used(info: MeterInfo) -> MeterUsed:
    """Return a meter's description as the record keeps it."""
    return MeterUsed.model_validate(
        {
            "name": info.name,
            "kind": info.kind.value,
            "boundary": info.boundary,
            "tier": info.tier.value,
            "accuracy_frac": info.accuracy_frac,
            "accuracy_source": info.accuracy_source,
            "period_s": info.period_s,
            "averaging_s": info.averaging_s,
            "scope": info.scope,
            "domains": info.domains,
        }
    )


def _energy(meter: Meter, start_s: float, end_s: float) -> EnergyReading:
    """Return the energy of a span; a meter that raises has none, and the run goes on."""
    try:
        return meter.energy(start_s, end_s)
    except Exception as error:  # noqa: BLE001 (a meter of others must not end the run)
        info = meter.info
        return EnergyReading(
            meter=info.name,
            joules=None,
            boundary=info.boundary,
            tier=info.tier,
            accuracy_frac=info.accuracy_frac,
            accuracy_source=info.accuracy_source,
            duration_s=end_s - start_s,
            reasons=("meter_lost",),
            detail=f"{type(error).__name__}: {error}",
        )


def _utc_s(window: Window, t_s: float) -> float:
    return window.start_utc.timestamp() + t_s - window.start_s


def _meter_samples(meter: Meter, spans: Sequence[tuple[float, float]], idle: Sequence[IdleSpan]) -> list[Sample]:
    """Return a meter's readings as samples, from a little before the first span of this run."""
    unit = "J" if meter.info.kind is MeterKind.COUNTER else "W"
    starts = [*(start for start, _ in spans), *(span.start_s for span in idle)]
    first_s = min(starts, default=math.inf) - MARGIN_S
    found = []
    for raw in meter.readings():
        if raw.value is not None and raw.t_s >= first_s:
            inside = next((i for i, (start, end) in enumerate(spans) if start <= raw.t_s <= end), -1)
            found.append(Sample(meter.info.name, inside, raw.t_s, raw.t_s, raw.utc_s, raw.value, unit))
    return found
