"""Many results at a glance: their headlines read fast, and the trend of one metric over them."""

import json
import os
import statistics
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench.store import RECORD_FILE
from hardware_profiles.errors import InputError, near_names


@dataclass(frozen=True, slots=True)
class Headline:
    """What a list says of one result; `metrics` holds each figure as the record has it."""

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


@dataclass(frozen=True, slots=True)
class Point:
    """One result in a trend; `change_frac` is against the first of the same workload, version and device."""

    headline: Headline
    value: float
    unit: str
    interval: tuple[float, float] | None
    change_frac: float


def headlines(store: Path, on_fault: Callable[[str], None] = lambda _: None) -> Iterator[Headline]:
    """Yield the headline of every result of a store, oldest first; one that cannot be read is told and left out.

    Only what a list shows is looked at: `read_record` is what validates a record in full.
    """
    try:
        names = sorted(entry.name for entry in os.scandir(store) if not entry.name.startswith("."))
    except FileNotFoundError:
        return
    except OSError as error:
        raise InputError.at("--out", expected="a results folder", got=f"{store}: {error.strerror}") from None
    load = _loader()
    root = os.fspath(store)
    for name in names:
        path = f"{root}/{name}/{RECORD_FILE}"
        try:
            with open(path, "rb") as file:  # noqa: PTH123 (a third of the time of Path.read_bytes over 10,000)
                found = load(file.read())
            yield _headline(found)
        except (FileNotFoundError, NotADirectoryError):
            continue
        except OSError as error:
            on_fault(f"{path}: {error.strerror}")
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            on_fault(f"{path}: expected a result, got a corrupt file: {type(error).__name__} {error}")


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


def _headline(found: dict[str, Any]) -> Headline:
    workload, run = found["workload"], found["run"]
    return Headline(
        id=found["id"],
        status=found["status"],
        workload=workload["name"],
        version=workload["version"],
        variant=workload["variant"],
        device=found["device"]["name"],
        plan=run["plan"],
        started_utc=run["started_utc"],
        supersedes=found.get("supersedes"),
        metrics=found["metrics"],
    )


def _loader() -> Callable[[bytes], Any]:
    """Return the fastest JSON reader at hand; pydantic brings one along."""
    try:
        from pydantic_core import from_json
    except ImportError:  # pragma: no cover
        return json.loads
    return from_json
