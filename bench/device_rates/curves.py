"""The loads of one run of `perwatt run endpoint` as the operating curve of its server."""

from pathlib import Path
from typing import TYPE_CHECKING

from bench.device_rates.records import from_record
from bench.results.layout import STORE
from sites.operating_points import LATENCIES, SWEEP_PREFIX, OperatingCurve, OperatingPoint

if TYPE_CHECKING:
    from bench.results.record import Record


def operating_curve(name: str, store: Path = STORE) -> OperatingCurve:
    """Return the loads of one run of `perwatt run endpoint` as the operating curve of its server.

    Parameters
    ----------
    name
        `sweep:<id>` with the id of any result of the run.
    store
        The results folder.

    Raises
    ------
    InputError
        As `from_record` and `sweep_of`, or no load is valid, or their tags differ.
    """
    from bench.endpoint.sweep.records import doubts, sweep_of

    records = sweep_of(store, name.removeprefix(SWEEP_PREFIX))
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
            points.append(_operating_point(record, f"{at} at a time"))
    return OperatingCurve(name, tuple(points), tuple(invalid), tuple(doubts(records).values()))


def _operating_point(record: "Record", load: str) -> OperatingPoint:
    latency_s = {key: record.metrics[key].value for key in LATENCIES if key in record.metrics}
    energy = record.energy_per_unit
    return OperatingPoint(load, from_record(record), latency_s, energy.interval_95 if energy is not None else None)
