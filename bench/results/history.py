"""Headlines of many results, read fast, and the trend of one metric over them."""

import json
import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench.results.best_meter import ENERGY_PER_UNIT, best_metric
from bench.results.integrity.digests import record_digests_fault
from bench.results.integrity.sense import sense_fault
from bench.results.layout import RECORD, RECORD_FILE, file_fault, result_names
from bench.results.schema import conforms
from bench.results.units import unit_of
from hardware_profiles.errors import InputError, near_names
from hardware_profiles.opening import read_input

MANY = 100
"""Number of results above which importing pydantic (0.1 s) costs less than checking without it."""


@dataclass(frozen=True, slots=True)
class Headline:
    """The summary of one result in a list."""

    folder: Path
    id: str
    status: str
    workload: str
    version: int  # of the workload
    variant: str
    device: str
    unit: str  # identity of the unit under test; empty where it is unknown
    host: str  # name of the host that measured it, else its key; empty where it is unknown
    plan: str
    level: str  # of the lever that a sweep set; empty without one
    started_utc: str
    supersedes: str | None
    metrics: dict[str, dict[str, Any]]  # as in the record
    artifacts: list[dict[str, Any]]  # as in the record

    @property
    def energy_per_unit(self) -> dict[str, Any] | None:
        """The energy per unit of work [J/unit] by the best meter, or None where none was measured."""
        return best_metric(self.metrics, lambda metric: metric.get("tier"), ENERGY_PER_UNIT)


@dataclass(frozen=True, slots=True)
class Point:
    """One result in a trend."""

    headline: Headline
    value: float  # in `unit`
    unit: str
    interval: tuple[float, float] | None  # 95 %, in `unit`
    change_frac: float  # [-] against the first result of the same workload, version, device, unit and level


def headlines(store: Path, on_fault: Callable[[str], None] = lambda _: None) -> Iterator[Headline]:
    """Yield the headline of every valid record of a store, oldest first; report the others to `on_fault`.

    Raises
    ------
    InputError
        The store is a file, or is not readable.
    """
    names = result_names(store, on_fault)
    parse = _parser_of_many() if len(names) > MANY else _parse
    root = os.fspath(store)
    for name in names:
        record = _read(f"{root}/{name}", parse) or _validated(store / name, on_fault)
        if record is not None:
            yield _headline(store / name, record)


def _read(folder: str, parse: Callable[[bytes], dict[str, Any] | None]) -> dict[str, Any] | None:
    """Return the record of a folder if it is certainly sound, else None."""
    try:
        content = read_input(Path(f"{folder}/{RECORD_FILE}"), RECORD)
        record = parse(content)
    except (OSError, ValueError, OverflowError, RecursionError):
        return None
    if record is None or sense_fault(record, content, folder) or record_digests_fault(folder, content, record):
        return None
    return record


def _parse(content: bytes) -> dict[str, Any] | None:
    """Return a record that certainly conforms to the schema, else None."""
    record = json.loads(content.decode())
    return record if conforms(record) else None


def _parser_of_many() -> Callable[[bytes], dict[str, Any] | None]:
    """Return a function that does the same with pydantic, which is faster once it is imported."""
    from pydantic_core import from_json

    from bench.results.record import Record

    def parse(content: bytes) -> dict[str, Any] | None:
        Record.model_validate_json(content, strict=True)  # a fault of it is a ValueError
        record: dict[str, Any] = from_json(content)
        return record

    return parse


def _validated(folder: Path, on_fault: Callable[[str], None]) -> dict[str, Any] | None:
    """Return the record of a folder if pydantic finds it valid, else report its first fault."""
    from bench.results.folder import read_record

    try:
        return read_record(folder).model_dump(mode="json")
    except InputError as fault:
        on_fault(str(fault))
        return None


def unchanged(results: Iterable[Headline], on_fault: Callable[[str], None]) -> Iterator[Headline]:
    """Yield the results whose files are unchanged; report the others to `on_fault`."""
    for line in results:
        files = ((line.folder / one["name"], one["sha256"], one["size_bytes"]) for one in line.artifacts)
        fault = next(filter(None, (file_fault(*file) for file in files)), "")
        if fault:
            on_fault(fault)
        else:
            yield line


def trend(results: Iterable[Headline], metric: str, workload: str | None = None) -> list[Point]:
    """Return one metric over the valid results, oldest first, without superseded ones.

    Raises
    ------
    InputError
        No result has this metric.
    """
    kept = [line for line in results if workload in (None, line.workload)]
    replaced = {line.supersedes for line in kept}
    firsts: dict[tuple[object, ...], float] = {}
    points = []
    for line in kept:
        figure = line.metrics.get(metric)
        if line.status != "ok" or figure is None or line.id in replaced:
            continue
        value = float(figure["value"])
        first = firsts.setdefault((line.workload, line.version, line.device, line.unit, line.level), value)
        interval = figure.get("interval_95")
        points.append(
            Point(
                line,
                value,
                str(figure["unit"]),
                (interval[0], interval[1]) if interval else None,
                value / first - 1.0 if first else 0.0,
            )
        )
    if not points:
        known = sorted({name for line in kept for name in line.metrics})
        expected = f"a metric of these results ({', '.join(known) or 'there are none'})"
        raise InputError.at("--trend", expected=expected, got=metric, near=near_names(metric, known))
    return points


def by_workload(points: Sequence[Point]) -> dict[str, list[Point]]:
    """Return the points of a trend by workload, because figures of different work have no common median."""
    groups: dict[str, list[Point]] = {}
    for point in points:
        groups.setdefault(point.headline.workload, []).append(point)
    return groups


def summary(points: Sequence[Point]) -> dict[str, Any]:
    """Return number, first, last, least, median and most of a workload's trend, and its change from first to last."""
    import statistics

    values = [point.value for point in points]
    return {
        "n": len(values),
        "unit": points[0].unit,
        "first": values[0],
        "last": values[-1],
        "least": min(values),
        "median": statistics.median(values),
        "most": max(values),
        "change_frac": values[-1] / values[0] - 1.0 if values[0] else None,
    }


def _headline(folder: Path, record: dict[str, Any]) -> Headline:
    workload, run, device = record["workload"], record["run"], record["device"]
    host = run.get("host") or {}
    return Headline(
        folder=folder,
        id=record["id"],
        status=record["status"],
        workload=workload["name"],
        version=workload["version"],
        variant=workload["variant"],
        device=device["name"],
        unit=unit_of(device["kind"], device.get("settings", {}), host.get("id", "")),
        host=host.get("name") or host.get("id", ""),
        plan=run["plan"],
        level=str(device.get("settings", {}).get("level") or ""),
        started_utc=run["started_utc"],
        supersedes=record.get("supersedes"),
        metrics=record.get("metrics", {}),
        artifacts=record.get("artifacts", []),
    )
