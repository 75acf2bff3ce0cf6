"""Energies of a run, read from the meters: per window, at idle, and the ratio of every two meters."""

import math
import statistics
import time
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from itertools import combinations
from typing import Literal

from bench import limits
from bench.measure.steadiness import duration_agrees
from bench.measure.windows import TimedWork
from bench.meters.group.sources import same_source
from bench.meters.group.sums import flat
from bench.meters.plausible import factor_words
from bench.meters.protocol import EnergyReading, Meter, MeterInfo, MeterKind
from bench.results.record import Device, Energy, IdlePower, MetersGap, MeterUsed, Window
from bench.results.samples import Sample
from hardware_profiles.errors import InputError
from hardware_profiles.provenance import BOUNDARIES

MARGIN_S = 5.0  # [s] samples from this long before the first window are stored too


@dataclass(frozen=True, slots=True)
class IdleSpan:
    """A time without load [s, monotonic]."""

    when: Literal["before", "after"]
    start_s: float
    end_s: float


@dataclass(frozen=True, slots=True)
class Metered:
    """The windows of a run with their energies, and everything else that its meters gave."""

    windows: tuple[Window, ...]
    used: tuple[MeterUsed, ...] = ()
    idle: tuple[IdlePower, ...] = ()
    gaps: tuple[MetersGap, ...] = ()
    samples: list[Sample] = field(default_factory=list)
    idle_spans_utc: tuple[tuple[str, float, float], ...] = ()  # when the device was idle: before or after, from, to

    def audit_entry(self) -> dict[str, object]:
        """Return the idle times in UTC [s since 1970] as the record stores them, for a log that is joined later."""
        return {"idle_spans_utc": [list(span) for span in self.idle_spans_utc]} if self.idle_spans_utc else {}

    @property
    def without_joules(self) -> tuple[Window, ...]:
        """The windows of an invalid run: work and reasons stay, but no energy that somebody could average."""
        return tuple(
            window.model_copy(
                update={
                    "energy": tuple(
                        energy.model_copy(update={"joules": None, "half_energies_j": None, "edges_j": None})
                        for energy in window.energy
                    )
                }
            )
            for window in self.windows
        )


def read_all(meters: Sequence[Meter], timed: TimedWork, idle: Sequence[IdleSpan], unit: str) -> Metered:
    """Read every meter over every window and idle span, once the last of them is over."""
    reading = [meter for meter in meters if meter.info.kind is not MeterKind.DECLARED]
    windows = list(timed.windows)
    samples = [
        Sample("work", i, call.start_s, call.end_s, _utc_s(windows[i], call.start_s), call.work, unit)
        for i, calls in enumerate(timed.calls)
        for call in calls
    ]
    energies = read_windows(reading, timed.spans)
    infos = [meter.info for meter in reading]
    by_meter = cross_check(infos, energies)
    shift_s = time.time() - time.monotonic()
    return Metered(
        windows=join(windows, by_meter),
        used=tuple(as_used(info) for info in infos),
        idle=read_idle(reading, idle),
        gaps=gaps_of(by_meter),
        samples=samples + read_samples(reading, timed.spans, idle),
        idle_spans_utc=tuple((span.when, span.start_s + shift_s, span.end_s + shift_s) for span in idle),
    )


def read_windows(meters: Sequence[Meter], spans: Sequence[tuple[float, float]]) -> list[list[EnergyReading]]:
    """Return the energies of each meter over the windows."""
    return [[_energy(meter, start, end) for start, end in spans] for meter in meters]


def read_idle(meters: Sequence[Meter], idle: Sequence[IdleSpan]) -> tuple[IdlePower, ...]:
    """Return the idle powers of the meters that have them."""
    energies = [(span, meter.info.name, _energy(meter, span.start_s, span.end_s)) for span in idle for meter in meters]
    return tuple(
        IdlePower(meter=name, when=span.when, power_w=energy.mean_power_w, duration_s=energy.duration_s)
        for span, name, energy in energies
        if energy.mean_power_w is not None
    )


def join(windows: Sequence[Window], by_meter: Sequence[Sequence[EnergyReading]]) -> tuple[Window, ...]:
    """Return the windows with the energies of each meter; a stored energy of the same meter is replaced."""
    joined = []
    for index, window in enumerate(windows):
        energies = {energy.meter: energy for energy in window.energy}
        energies |= {readings[index].meter: as_energy(readings[index]) for readings in by_meter}
        joined.append(window.model_copy(update={"energy": tuple(energies.values())}))
    return tuple(joined)


def as_energy(reading: EnergyReading) -> Energy:
    """Return a reading as the record stores it."""
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
            "edges_j": reading.edges_j,
            "reasons": reading.reasons,
            "warnings": reading.warnings,
            "detail": reading.detail,
        }
    )


def accuracy_frac(info: MeterInfo | MeterUsed) -> float:
    """Return the relative accuracy of a meter [-]: the stated one, else the one assumed for its tier."""
    return info.accuracy_frac if info.accuracy_frac is not None else limits.UNSTATED_ACCURACY_FRAC[info.tier]


def covering(meters: Sequence[MeterInfo], device: Device) -> list[MeterInfo]:
    """Return the meters that read the power of a device, as far as it is known what they read."""
    own = {device.kind, f"{device.kind}:{device.settings.get('uuid')}"}

    def reads(info: MeterInfo) -> bool:
        return not info.covers or bool(own & set(info.covers))

    return [info for info in meters if all(reads(part) for part in info.parts or (info,))]


def check_covered(meters: Sequence[MeterInfo], device: Device) -> None:
    """Check that one of the meters reads the power of the device, so that its work and its energy belong together.

    Raises
    ------
    InputError
        All meters read other devices.
    """
    reading = [info for info in meters if info.kind is not MeterKind.DECLARED]
    if reading and not covering(reading, device):
        own = {"cpu": "rapl or ", "gpu": f"nvml:{device.settings.get('index')} or "}.get(device.kind, "")
        expected = f"a meter that reads {device.name} or the whole machine, such as {own}shelly:HOST"
        got = ", ".join(f"{info.name}, which reads another device" for info in reading)
        raise InputError.at("--meter", expected=expected, got=got)


def cross_check(infos: Sequence[MeterInfo], by_meter: Sequence[Sequence[EnergyReading]]) -> list[list[EnergyReading]]:
    """Remove the joules of meters that contradict each other or read one log (method rule 5).

    Two meters of one boundary must agree within the limit or within their accuracies.
    """
    checked = [list(energies) for energies in by_meter]
    for a, b in combinations(range(len(checked)), 2):
        if infos[a].covers and infos[b].covers and not set(infos[a].covers) & set(infos[b].covers):
            continue  # two cards may draw different powers
        for index, pair in enumerate(zip(by_meter[a], by_meter[b], strict=True)):
            if _disagree(*pair):
                for meter in (a, b):
                    checked[meter][index] = _denied(checked[meter][index], *pair)
    owners = [(owner, part) for owner, info in enumerate(infos) for part in (info.parts or (info,))]
    for (a, first), (b, second) in combinations(owners, 2):
        if first.sha256 and same_source(first, second):
            for owner in {a, b}:
                checked[owner] = [reading.judged(("source_twice",)) for reading in checked[owner]]
    return checked


def _denied(reading: EnergyReading, first: EnergyReading, second: EnergyReading) -> EnergyReading:
    """Return a reading without joules, and with what both meters gave."""
    watts = [one.mean_power_w or 0.0 for one in (first, second)]
    words = f"{first.meter} gives {watts[0]:.4g} W, {second.meter} {watts[1]:.4g} W{factor_words(watts[1], watts[0])}"
    return replace(reading.judged(("meter_disagreement",)), detail="; ".join(filter(None, (words, reading.detail))))


def _disagree(first: EnergyReading, second: EnergyReading) -> bool:
    if first.boundary != second.boundary or first.joules is None or second.joules is None:
        return False
    accuracies = math.hypot(first.accuracy_frac or 0.0, second.accuracy_frac or 0.0)
    low_j, high_j = sorted((first.joules, second.joules))
    return high_j > low_j * (1.0 + max(limits.METER_DISAGREEMENT_FRAC, accuracies))


def gaps_of(by_meter: Sequence[Sequence[EnergyReading]]) -> tuple[MetersGap, ...]:
    """Return the ratio of every two meters over the windows that both measured, the inner boundary over the outer."""
    gaps = []
    for pair in combinations(by_meter, 2):
        if not pair[0] or not pair[1]:
            continue
        inner, outer = sorted(pair, key=lambda energies: BOUNDARIES.index(energies[0].boundary))
        ratios = [a.joules / b.joules for a, b in zip(inner, outer, strict=True) if a.joules is not None and b.joules]
        if ratios:
            gaps.append(
                MetersGap(
                    inner=inner[0].meter,
                    inner_boundary=inner[0].boundary,
                    outer=outer[0].meter,
                    outer_boundary=outer[0].boundary,
                    inner_over_outer=statistics.fmean(ratios),
                )
            )
    return tuple(gaps)


def as_used(info: MeterInfo) -> MeterUsed:
    """Return a meter's description as the record stores it."""
    stored = {name: getattr(info, name) for name in MeterUsed.model_fields if name != "parts"}
    return MeterUsed.model_validate({**stored, "parts": [as_used(part) for part in info.parts]})


def _energy(meter: Meter, start_s: float, end_s: float) -> EnergyReading:
    """Return the energy of a span; a meter that raises gives none, and the run goes on."""
    try:
        reading = meter.energy(start_s, end_s)
    except Exception as error:  # noqa: BLE001 (a third party's meter must not end the run)
        detail = f"{type(error).__name__}: {error}"
        return EnergyReading.missing(meter.info, end_s - start_s, "meter_lost", detail=detail)
    return reading if duration_agrees(reading.duration_s, start_s, end_s) else reading.judged(("duration_mismatch",))


def _utc_s(window: Window, t_s: float) -> float:
    return window.start_utc.timestamp() + t_s - window.start_s


def read_samples(
    meters: Sequence[Meter], spans: Sequence[tuple[float, float]], idle: Sequence[IdleSpan]
) -> list[Sample]:
    """Return the readings of all meters as samples, from a little before the first span of this run."""
    starts = [*(start for start, _ in spans), *(span.start_s for span in idle)]
    first_s = min(starts, default=math.inf) - MARGIN_S
    samples = []
    for meter in flat(meters):
        unit = "J" if meter.info.kind is MeterKind.COUNTER else "W"
        for raw in meter.readings():
            if raw.value is not None and raw.t_s >= first_s:
                window = next((i for i, (start, end) in enumerate(spans) if start <= raw.t_s <= end), -1)
                samples.append(Sample(meter.info.name, window, raw.t_s, raw.t_s, raw.utc_s, raw.value, unit))
    return samples
