"""The measurements of a fleet: the records that count, each with its unit, its model and its figures."""

import math
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, NamedTuple

from bench.measure.stats import t_quantile
from bench.results.best_meter import ENERGY_PER_UNIT, POWER
from bench.results.units import host_of, unit_of

if TYPE_CHECKING:
    from bench.results.record import MeterUsed, Metric, Record

_OF_A_MODEL = (
    "lever",
    "level",
    "mode",
    "profile",
    "power_limit_w",
    "ecc",
    "mig",
    "governor",
    "turbo",
    "smt",
    "usable_cores",
    "quota_cores",
)
"""Settings in which units of one model are no longer alike: each combination is a fleet of its own."""
_OF_A_RUN = frozenset(
    (
        "seed",
        "warm_up_s",
        "difficulty",
        "wanted_error_frac",
        "expected_rate_h_s",
        "windows",
        "window_s",
        "settled",
        "buffers_bytes",
    )
)
"""Parameters of a run that differ between units of one model, such as the difficulty of a miner's shares."""
_STATED_TIERS = ("A", "B")
"""Tiers whose meters have a stated accuracy, so that the errors of two of them are independent."""


class Kind(NamedTuple):
    """What a figure is: units are compared only in figures of one kind."""

    group: str  # rate, energy or power
    unit: str  # hash/s, J/hash, W
    boundary: str = ""  # where power is drawn; empty for a rate
    tier: str = ""  # how far its meter is trusted; empty for a rate

    def is_of(self, metric: str) -> bool:
        """Return whether a metric of a record, by its name, is of this kind."""
        if self.group == "rate":
            return metric == "rate"
        return metric.startswith(ENERGY_PER_UNIT if self.group == "energy" else POWER) and f"_{self.boundary}" in metric


class Model(NamedTuple):
    """What units have in common that are compared with each other."""

    device: str  # name of the model
    workload: str
    version: int
    variant: str
    parameters: tuple[tuple[str, str], ...]
    settings: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Reading:
    """One figure of one record."""

    value: float  # in the unit of its kind
    windows: int
    sd_frac: float | None  # [-] standard deviation of the windows; None for one window
    u_work_frac: float  # [-] standard uncertainty of the counted work and of the windows' edges
    u_meter_frac: float  # [-] standard uncertainty of the meter
    meter: frozenset[str]  # the physical sources that it reads; empty where they are unknown


@dataclass(frozen=True, slots=True)
class Measurement:
    """One record that counts."""

    id: str
    unit: str
    host: str  # name of the host that measured it, or `-`
    model: Model
    started: datetime
    figures: Mapping[Kind, Reading]


@dataclass(frozen=True, slots=True)
class Measurements:
    """The records that count, and how many others do not, by reason."""

    counted: tuple[Measurement, ...]  # oldest first
    not_counted: Mapping[str, int]  # number of records by reason


def measurements(records: Iterable["Record"], workloads: Iterable[str] = ()) -> Measurements:
    """Return the records that count for a fleet.

    A record counts if it is valid, not of the plan `smoke`, not superseded, and if its unit is known.

    Parameters
    ----------
    records
        The records; superseding ones must be among them to be known.
    workloads
        Names of the workloads to keep; all if empty.
    """
    kept = set(workloads)
    every = [record for record in records if not kept or record.workload.name in kept]
    superseded = {record.supersedes for record in every if record.supersedes}
    counted, reasons = [], Counter[str]()
    for record in sorted(every, key=lambda one: (one.run.started_utc, one.id)):
        reason = _why_not(record, record.id in superseded)
        if reason:
            reasons[reason] += 1
        else:
            counted.append(_measurement(record))
    return Measurements(tuple(counted), dict(reasons))


def _why_not(record: "Record", is_superseded: bool) -> str:
    if is_superseded:
        return "superseded"
    if record.status != "ok":
        return f"{record.status} ({', '.join(dict.fromkeys(reason.code for reason in record.reasons))})"
    if record.run.plan == "smoke":
        return "plan smoke"
    if record.rate is None:
        return "without a rate"
    if not unit_of(record.device.kind, record.device.settings, host_of(record).id):
        what = {"gpu": "GPU without a UUID", "asic": "miner without a serial number or MAC address"}
        return what.get(record.device.kind, "unknown host")
    return ""


def _measurement(record: "Record") -> Measurement:
    workload, settings = record.workload, record.device.settings
    host = host_of(record)
    model = Model(
        record.device.name,
        workload.name,
        workload.version,
        workload.variant,
        tuple(sorted((key, str(value)) for key, value in workload.parameters.items() if key not in _OF_A_RUN)),
        tuple((key, str(settings[key])) for key in _OF_A_MODEL if settings.get(key) not in (None, "")),
    )
    unit = unit_of(record.device.kind, settings, host.id)
    return Measurement(record.id, unit, host.name or "-", model, record.run.started_utc, _figures(record))


def _figures(record: "Record") -> dict[Kind, Reading]:
    """Return rate, energy per unit of work and power of a record; of a boundary and tier, those of the first meter."""
    figures: dict[Kind, Reading] = {}
    meters = {meter.name: meter for meter in record.meters_used}
    energy = f"J/{record.workload.unit}"
    for name, metric in sorted(record.metrics.items(), key=lambda item: (len(item[0]), item[0])):
        if name == "rate":
            figures[Kind("rate", metric.unit)] = _reading(metric, None)
        elif metric.boundary and metric.tier and name.startswith((ENERGY_PER_UNIT, POWER)):
            group = "energy" if name.startswith(ENERGY_PER_UNIT) else "power"
            if metric.unit == (energy if group == "energy" else "W") and metric.basis == "measured":
                kind = Kind(group, metric.unit, metric.boundary, metric.tier)
                figures.setdefault(kind, _reading(metric, meters.get(metric.meter or "")))
    return figures


def _reading(metric: "Metric", meter: "MeterUsed | None") -> Reading:
    known = meter is not None and metric.tier in _STATED_TIERS
    return Reading(
        metric.value,
        metric.n,
        metric.relative_sd_frac,
        _u_work_frac(metric),
        metric.u_meter_frac or 0.0,
        frozenset(meter.domains) if known and meter is not None else frozenset(),
    )


def _u_work_frac(metric: "Metric") -> float:
    """Return the uncertainty of work and edges [-]; of an older record of counted events, that of its interval."""
    stated = math.hypot(metric.u_work_frac or 0.0, metric.u_edges_frac or 0.0)
    if stated or metric.relative_sd_frac is not None or metric.interval_95 is None:
        return stated
    whole = (metric.interval_95[1] - metric.interval_95[0]) / (2.0 * t_quantile(math.inf) * metric.value)
    return math.sqrt(max(0.0, whole**2 - (metric.u_meter_frac or 0.0) ** 2))
