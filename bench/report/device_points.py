"""Points of the device charts and table: one a catalogue bin, one the latest of each device, workload and variant."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from bench.report.blocks import Link
from bench.report.text import metric_interval

if TYPE_CHECKING:
    from bench.report.gather import Gathered
    from bench.results.record import Metric, Record
    from hardware_profiles.profile import Profile

Interval = tuple[float, float]
_DTYPES = ("bf16", "fp16", "fp32")
_SHORT = {"f32": "fp32", "f64": "fp64", "f16": "fp16"}


@dataclass(frozen=True, slots=True)
class Point:
    """A device doing one kind of work.

    rate: [unit/s]; power_w: [W], None where it is unknown; intervals are 95 %.
    """

    name: str
    slug: str
    title: str
    kind: str
    unit: str
    rate: float
    power_w: float | None
    boundary: str
    basis: str
    power_basis: str
    confidence: str
    rate_interval: Interval | None = None
    power_interval: Interval | None = None
    interval_text: str = ""
    dtype: str = ""
    released: str = "unknown"
    note: str = ""
    sources: tuple[Link, ...] = ()
    here: bool = False
    """Whether a stored run measured it; a maker's or tester's own measurement stands in the catalogue."""

    @property
    def joules_per_unit(self) -> float | None:
        """Energy for a hash or a FLOP [J], None without a power."""
        return None if self.power_w is None or self.rate <= 0 else self.power_w / self.rate


def measured_points(gathered: "Gathered") -> list[Point]:
    """Return one valid result of each device, workload and variant that hashes or multiplies: see `rank`."""
    latest: dict[tuple[str, str, str], Record] = {}
    counts: Counter[tuple[str, str, str]] = Counter()
    for record in gathered.valid:
        if record.workload.unit in {"hash", "flop"} and record.rate is not None and record.rate.value > 0:
            key = (record.device.name, record.workload.name, record.workload.variant)
            counts[key] += 1
            if key not in latest or rank(record) >= rank(latest[key]):
                latest[key] = record
    return [_measured(record, counts[key]) for key, record in latest.items()]


def latest(records: "Sequence[Record]") -> "list[Record]":
    """Return one record of each device, workload and variant, chosen by `rank`, in the order of first appearance."""
    found: dict[tuple[str, str, str], Record] = {}
    for record in records:
        key = (record.device.name, record.workload.name, record.workload.variant)
        if key not in found or rank(record) >= rank(found[key]):
            found[key] = record
    return list(found.values())


def rank(record: "Record") -> tuple[bool, bool, datetime]:
    """Return what chooses among results of one kind: figures to compare, then measured energy, then the newest."""
    return record.run.plan != "smoke", record.energy_metric() is not None, record.run.started_utc


def _measured(record: "Record", count: int) -> Point:
    rate, power = record.rate, _best_power(record)
    assumed = record.assumed_power_w if power is None else None
    work = record.workload
    more = f"; chosen of {count}" if count > 1 else ""
    assert rate is not None
    return Point(
        name=record.id,
        slug=record.id,
        title=record.device.name,
        kind=record.device.kind,
        unit=work.unit,
        rate=rate.value,
        power_w=power.value if power else assumed.power_w if assumed else None,
        boundary=(power.boundary if power else assumed.boundary if assumed else None) or "",
        basis="measured",
        power_basis="measured" if power else "assumed" if assumed else "",
        confidence="",
        rate_interval=rate.interval_95,
        power_interval=power.interval_95 if power else None,
        interval_text=metric_interval(rate),
        dtype=_dtype(record),
        released=f"{record.run.started_utc:%Y-%m-%d}",
        note=f"{work.name} {work.variant}{more}",
        sources=(Link(f"result {record.id}"),),
        here=True,
    )


def _dtype(record: "Record") -> str:
    found = str(record.workload.parameters.get("dtype") or "") if record.workload.unit == "flop" else ""
    return _SHORT.get(found, found)


def _best_power(record: "Record") -> "Metric | None":
    found = [metric for name, metric in record.metrics.items() if name.startswith("power_")]
    return min(found, key=lambda metric: metric.tier or "Z", default=None)


def catalogue_points(gathered: "Gathered") -> list[Point]:
    """Return one point for each bin of the catalogue's miners, GPUs and CPUs."""
    return [point for device in gathered.catalogue for one in device.profiles() for point in _rated(one)]


def _rated(profile: "Profile") -> "Iterator[Point]":
    power = profile.figure("wall_power_w") or profile.figure("tdp_w")
    rate, unit, dtype = profile.rate_hash_s, "hash", ""
    if rate is None:
        dtype = next((name for name in _DTYPES if name in profile.peaks_flop_per_s), "")
        rate, unit = profile.peaks_flop_per_s.get(dtype, 0.0), "flop"
    used = {source for figure in profile.figures.values() for source in figure.sources}
    sources = [profile.device.sources[key] for key in profile.device.sources if key in used]
    yield Point(
        name=profile.name,
        slug=profile.slug,
        title=profile.title,
        kind=profile.kind,
        unit=unit if rate > 0 else "",
        rate=rate,
        power_w=power.si_value if power else None,
        boundary=(power.boundary if power else None) or "",
        basis=profile.basis,
        power_basis=power.basis if power else "",
        confidence=profile.confidence,
        interval_text="",
        dtype=dtype,
        released=profile.device.released,
        note=profile.name,
        sources=tuple(Link(source.title, source.address) for source in sources[:3]),
    )
