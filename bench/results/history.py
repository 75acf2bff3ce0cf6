"""Many results at a glance: their headlines read fast, and the trend of one metric over them."""

import json
import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench.results.layout import RECORD_FILE, file_fault, result_names
from bench.results.schema import conforms
from hardware_profiles.errors import InputError, near_names

MANY = 100
"""Beyond so many results the import of pydantic (0.1 s) costs less than checking without it."""


@dataclass(frozen=True, slots=True)
class Headline:
    """What a list says of one result; `metrics` and `artifacts` hold each figure and file as the record has it."""

    folder: Path
    id: str
    status: str
    workload: str
    version: int
    variant: str
    device: str
    plan: str
    started_utc: str
    supersedes: str | None
    metrics: dict[str, dict[str, Any]]
    artifacts: list[dict[str, Any]]


@dataclass(frozen=True, slots=True)
class Point:
    """One result in a trend; `change_frac` is against the first of the same workload, version and device."""

    headline: Headline
    value: float
    unit: str
    interval: tuple[float, float] | None
    change_frac: float


def headlines(store: Path, on_fault: Callable[[str], None] = lambda _: None) -> Iterator[Headline]:
    """Yield the headline of every sound result of a store, oldest first; one that is not is told and left out.

    Raises
    ------
    InputError
        The store is a file, or may not be read.
    """
    names = result_names(store)
    read = _reader_of_many() if len(names) > MANY else _read
    root = os.fspath(store)
    for name in names:
        try:
            with open(f"{root}/{name}/{RECORD_FILE}", "rb") as file:  # noqa: PTH123 (a third of Path.read_bytes' time)
                found = read(file.read())
        except (OSError, ValueError, OverflowError, RecursionError):
            found = None
        if found is None:
            found = _judged(store / name, on_fault)
        if found is not None:
            yield _headline(store / name, found)


def _read(data: bytes) -> dict[str, Any] | None:
    """Return a record that is sound for sure, else None."""
    found = json.loads(data)
    return found if conforms(found) else None


def _reader_of_many() -> Callable[[bytes], dict[str, Any] | None]:
    """Return pydantic's way to do the same: faster, once it is imported."""
    from pydantic_core import from_json

    from bench.results.record import Record

    def read(data: bytes) -> dict[str, Any] | None:
        Record.model_validate_json(data, strict=True)  # a fault of it is a ValueError
        found: dict[str, Any] = from_json(data)
        return found

    return read


def _judged(folder: Path, on_fault: Callable[[str], None]) -> dict[str, Any] | None:
    """Return the record of a folder if it is valid after all, else tell its first fault."""
    from bench.results.folder import read_record

    try:
        return read_record(folder).model_dump(mode="json")
    except InputError as fault:
        on_fault(str(fault))
        return None


def unchanged(found: Iterable[Headline], on_fault: Callable[[str], None]) -> Iterator[Headline]:
    """Yield the results whose files are all as they were written; one of which that is not so is told and left out."""
    for line in found:
        files = ((line.folder / one["name"], one["sha256"], one["size_bytes"]) for one in line.artifacts)
        fault = next(filter(None, (file_fault(*file) for file in files)), "")
        if fault:
            on_fault(fault)
        else:
            yield line


def trend(found: Iterable[Headline], metric: str, workload: str | None = None) -> list[Point]:
    """Return one metric over the valid results, oldest first, superseded ones left out.

    Raises
    ------
    InputError
        No result has this metric.
    """
    kept = [line for line in found if workload in (None, line.workload)]
    replaced = {line.supersedes for line in kept}
    firsts: dict[tuple[object, ...], float] = {}
    points = []
    for line in kept:
        figure = line.metrics.get(metric)
        if line.status != "ok" or figure is None or line.id in replaced:
            continue
        value = float(figure["value"])
        first = firsts.setdefault((line.workload, line.version, line.device), value)
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


def summary(points: Sequence[Point]) -> dict[str, Any]:
    """Return number, first, last, least, median and most of a trend, and the change from the first to the last."""
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


def _headline(folder: Path, found: dict[str, Any]) -> Headline:
    workload, run = found["workload"], found["run"]
    return Headline(
        folder=folder,
        id=found["id"],
        status=found["status"],
        workload=workload["name"],
        version=workload["version"],
        variant=workload["variant"],
        device=found["device"]["name"],
        plan=run["plan"],
        started_utc=run["started_utc"],
        supersedes=found.get("supersedes"),
        metrics=found.get("metrics", {}),
        artifacts=found.get("artifacts", []),
    )
