"""The operating curve of a device, assembled from the records of one sweep: a point for each level, and the best."""

import math
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from bench.measure.optimum.best import Choice, Fit, Visit, choose, fit
from bench.results.folder import find_result, read_record, read_whole
from bench.results.layout import result_names
from bench.results.window_figures import metered_windows
from hardware_profiles.errors import InputError

if TYPE_CHECKING:
    from bench.results.record import Metric, Record

LEVER, LEVEL, AS_FOUND = "lever", "level", "level_as_found"
"""Settings of a device that a sweep adds to its records."""
_NUMBER = re.compile(r"\d+(\.\d+)?")


@dataclass(frozen=True, slots=True)
class Figure:
    """A figure of a level with its 95 % interval, from all visits."""

    value: float
    interval: tuple[float, float] | None


@dataclass(frozen=True, slots=True)
class CurvePoint:
    """A level with its figures."""

    level: str
    records: "tuple[Record, ...]"  # valid ones, in the order of the visits
    rate: Figure  # [unit/s]
    power: Figure | None  # [W]; None without a meter
    energy: Figure | None  # [J/unit]
    alike: bool  # whether it may be the best


@dataclass(frozen=True, slots=True)
class Curve:
    """The levels of one device that one run visited."""

    run_id: str
    lever: str
    as_found: str | None  # level
    records: "tuple[Record, ...]"  # all, in the order of the visits
    points: tuple[CurvePoint, ...]  # by rising power, or without a meter by rising level
    choice: Choice | None  # None with fewer than two points
    by: str  # `J/hash`, or without a meter `hash/s`
    drift: tuple[float, float] | None  # [-] 95 % interval of the drift of `by` from the first visit to the last
    invalid: tuple[str, ...]  # visits without figures, each with its reason
    doubts: tuple[str, ...]  # what lessens the whole curve

    @property
    def range(self) -> tuple[str, ...]:
        """The levels that may be the best, in the order of the points."""
        return tuple(point.level for point in self.points if point.alike)


def is_swept(record: "Record") -> bool:
    """Return whether a record is of a level of a lever."""
    return bool(record.device.settings.get(LEVER)) and record.device.settings.get(LEVEL) is not None


def level_of(record: "Record") -> str:
    """Return the level of a record of a sweep."""
    return str(record.device.settings.get(LEVEL))


def records_of(store: Path, name: str) -> "list[Record]":
    """Return the records of the sweep that a result belongs to, in the order of the visits, without corrected ones.

    Raises
    ------
    InputError
        The result is unknown, or is not of a sweep.
    """
    folder = find_result(store, name)
    named, store = read_whole(folder), folder.parent
    if not is_swept(named):
        raise InputError.at(f"curve of {named.id}", expected="a result of `perwatt sweep`", got="one without a lever")
    ids = [id_ for id_ in result_names(store) if f"-{named.workload.name}-" in id_]
    run = [record for record in map(read_record, map(store.joinpath, ids)) if record.run.run_id == named.run.run_id]
    corrected = {record.supersedes for record in run}
    return [record for record in run if record.id not in corrected and is_swept(record)]


def curve_of(records: "Sequence[Record]") -> Curve:
    """Return the curve of the records of one sweep.

    Parameters
    ----------
    records
        All records of one run, in any order.
    """
    ordered = sorted(records, key=lambda record: (record.run.started_utc, record.id))
    valid = [record for record in ordered if record.status == "ok" and record.rate is not None and record.windows]
    levels = list(dict.fromkeys(level_of(record) for record in valid))
    metered = [record for record in valid if _metered(record) is not None]
    has_energy = bool(metered) and {level_of(record) for record in metered} == set(levels)
    visits = _visits(metered, _energies) if has_energy else _visits(valid, _rates)
    choice = choose(visits, highest=not has_energy) if len(levels) > 1 else None
    alike = choice.alike if choice is not None else tuple(levels)
    fits = _Fits(fit(_visits(valid, _rates)), fit(_visits(metered, _powers)), fit(_visits(metered, _energies)))
    points = [
        _point(level, [record for record in valid if level_of(record) == level], fits, alike=level in alike)
        for level in levels
    ]
    fitted = fit(visits)
    first = ordered[0]
    unit = first.workload.unit
    return Curve(
        run_id=first.run.run_id,
        lever=str(first.device.settings.get(LEVER)),
        as_found=found if isinstance(found := first.device.settings.get(AS_FOUND), str) else None,
        records=tuple(ordered),
        points=tuple(sorted(points, key=_place)),
        choice=choice,
        by=f"J/{unit}" if has_energy else f"{unit}/s",
        drift=None if fitted is None else _over_the_sweep(fitted, visits),
        invalid=tuple(_why_invalid(record) for record in ordered if record not in valid),
        doubts=tuple(_doubts(valid, metered, fitted, visits)),
    )


class _Fits(NamedTuple):
    rate: Fit | None
    power: Fit | None
    energy: Fit | None


def _point(level: str, records: "Sequence[Record]", fits: _Fits, *, alike: bool) -> CurvePoint:
    last = next((record for record in reversed(records) if _metered(record) is not None), records[-1])
    rate, power, energy = last.rate, last.power, last.energy_per_unit
    if rate is None:
        raise ValueError(f"{last.id} has no rate")
    return CurvePoint(
        level,
        tuple(records),
        _figure(level, fits.rate, rate, _u_of_rate(last)),
        None if power is None else _figure(level, fits.power, power, _u_of_meter(power)),
        None if energy is None else _figure(level, fits.energy, energy, _u_of_meter(energy)),
        alike,
    )


def _figure(level: str, fitted: Fit | None, metric: "Metric", u_frac: float) -> Figure:
    """Return the mean of a level over its visits; with too few visits, the figure of its last record."""
    if fitted is not None and level in fitted.at:
        return Figure(fitted.mean(level), fitted.interval(level, u_frac))
    return Figure(metric.value, metric.interval_95)


def _u_of_meter(metric: "Metric") -> float:
    """Return the uncertainty [-] that all visits share: that of the meter and of the windows' edges."""
    return math.hypot(metric.u_meter_frac or 0.0, metric.u_edges_frac or 0.0)


def _u_of_rate(record: "Record") -> float:
    """Return the uncertainty [-] of the rate that all visits share; the chance of counted shares differs in each."""
    return 0.0 if record.miner is not None or record.rate is None else record.rate.u_work_frac or 0.0


def _metered(record: "Record") -> "tuple[list[float], list[float]] | None":
    energy = record.energy_per_unit
    if energy is None or energy.meter is None:
        return None
    windows = metered_windows(record.windows, energy.meter)
    return None if windows is None else (windows.energy_j_per_unit, windows.power_w)


def _rates(record: "Record") -> list[float]:
    return [window.rate_per_s for window in record.windows]


def _energies(record: "Record") -> list[float]:
    return (_metered(record) or ([], []))[0]


def _powers(record: "Record") -> list[float]:
    return (_metered(record) or ([], []))[1]


def _visits(records: "Sequence[Record]", of: "Callable[[Record], list[float]]") -> list[Visit]:
    return [Visit(level_of(record), _middle_s(record), tuple(of(record))) for record in records]


def _over_the_sweep(fitted: Fit, visits: Sequence[Visit]) -> tuple[float, float]:
    """Return the 95 % interval of the relative drift [-] from the first visit to the last."""
    hours = (visits[-1].at_s - visits[0].at_s) / 3600.0
    low, high = fitted.drift_interval_per_h
    return math.expm1(min(low * hours, 50.0)), math.expm1(min(high * hours, 50.0))


def _middle_s(record: "Record") -> float:
    first, last = record.windows[0], record.windows[-1]
    return first.start_utc.timestamp() + (last.end_s - first.start_s) / 2.0


def _place(point: CurvePoint) -> tuple[float, float, str]:
    number = _NUMBER.match(point.level)
    return (point.power.value if point.power else 0.0, float(number[0]) if number else 0.0, point.level)


def _why_invalid(record: "Record") -> str:
    reasons = ", ".join(reason.code for reason in record.reasons) or "no figure"
    return f"{level_of(record)}: {record.status} ({reasons})"


def _doubts(
    valid: "Sequence[Record]", metered: "Sequence[Record]", fitted: Fit | None, visits: Sequence[Visit]
) -> "list[str]":
    doubts = []
    if metered and len(metered) < len(valid):
        doubts.append(f"{len(valid) - len(metered)} of {len(valid)} visits have no energy")
    if fitted is None and len(visits) > 1:
        doubts.append(
            "each level was visited about once, so the range holds only the scatter of the windows, not that from "
            "visit to visit; --rounds 2 or more measures it"
        )
    return doubts
