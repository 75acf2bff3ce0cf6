"""The points of one run of `perwatt sweep`, or of the loads of a server, as the operating curve of a site's device."""

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from bench.device_rates.records import from_record, prompts_in
from bench.results.layout import STORE
from sites.operating_points import CURVE_PREFIXES, LATENCIES, OperatingCurve, OperatingPoint

if TYPE_CHECKING:
    from bench.results.record import Record
    from bench.sweep.curve import CurvePoint


def operating_curve(name: str, store: Path = STORE) -> OperatingCurve:
    """Return the points of one run as the operating curve of its device.

    Parameters
    ----------
    name
        `curve:<id>` with the id of any result of the run: its points are the levels of `perwatt sweep`, or the loads of
        `perwatt run endpoint`. `sweep:<id>` is the older name of the same.
    store
        The results folder.

    Raises
    ------
    InputError
        As `from_record`, `records_of` and `sweep_of`, or no point is valid, or their tags differ.
    """
    from bench.results.folder import find_result, read_record
    from bench.sweep.curve import is_swept

    id_ = name.partition(":")[2] if name.startswith(CURVE_PREFIXES) else name
    return (_of_levels if is_swept(read_record(find_result(store, id_))) else _of_loads)(name, id_, store)


def _of_levels(name: str, id_: str, store: Path) -> OperatingCurve:
    """Return the levels of a lever, each with the mean of its visits."""
    from bench.sweep.curve import curve_of, records_of

    curve = curve_of(records_of(store, id_))
    points = [_level(point, store) for point in curve.points]
    return OperatingCurve(name, tuple(points), curve.invalid, curve.doubts)


def _level(point: "CurvePoint", store: Path) -> OperatingPoint:
    last = point.records[-1]
    rate = from_record(last, prompts_in(store, last))
    measured = last.power
    rate = replace(rate, name=point.level, rate_per_s=point.rate.value, rate_interval_per_s=point.rate.interval)
    power = point.power if measured is not None and measured.boundary == rate.boundary else None
    if power is not None and rate.power_basis == "measured":  # of a miner only at the wall
        rate = replace(rate, power_w=power.value, power_interval_w=power.interval)
    visits = f", mean of {len(point.records)} visits" if len(point.records) > 1 else ""
    energy = point.energy.interval if point.energy is not None else None
    return OperatingPoint(point.level, replace(rate, source=f"{rate.source}{visits}"), _latency_s(last), energy)


def _of_loads(name: str, id_: str, store: Path) -> OperatingCurve:
    """Return the loads of a server."""
    from bench.endpoint.sweep.records import doubts, sweep_of

    records = sweep_of(store, id_)
    loads: dict[int, Record] = {}
    for record in records:  # of a repeated load the last valid record
        at = int(str(record.workload.parameters["concurrency"]))
        if at not in loads or record.status == "ok":
            loads[at] = record
    points, invalid = [], []
    for at, record in sorted(loads.items()):
        low = record.rate.interval_95[0] if record.rate is not None and record.rate.interval_95 is not None else 1.0
        if record.status != "ok":
            invalid.append(f"{at} at a time: {record.status} ({', '.join(reason.code for reason in record.reasons)})")
        elif low <= 0.0:
            invalid.append(f"{at} at a time: the interval of its rate reaches below 0")
        else:
            points.append(_load(record, f"{at} at a time"))
    return OperatingCurve(name, tuple(points), tuple(invalid), tuple(doubts(records).values()))


def _load(record: "Record", load: str) -> OperatingPoint:
    energy = record.energy_per_unit
    return OperatingPoint(
        load, from_record(record), _latency_s(record), energy.interval_95 if energy is not None else None
    )


def _latency_s(record: "Record") -> dict[str, float]:
    return {key: record.metrics[key].value for key in LATENCIES if key in record.metrics}
