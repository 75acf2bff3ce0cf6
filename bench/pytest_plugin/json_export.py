"""The export of records to a file of pytest-benchmark."""

import math
import statistics
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from typing import Any

from bench.pytest_plugin.entry import KEY, SCHEMA
from bench.results.record import Record


def export_json(records: Iterable[Record]) -> dict[str, Any]:
    """Return records as one document of pytest-benchmark's form.

    Its times are seconds per unit of work, and its energies are in `extra_info["perwatt"]`.
    A record that is not valid is omitted, as pytest-benchmark omits a test with an error.
    """
    kept = [record for record in records if record.status == "ok" and record.windows]
    first = kept[0] if kept else None
    return {
        "machine_info": _machine(first) if first else {},
        "commit_info": {"id": first.run.commit, "dirty": first.run.commit_dirty} if first else {},
        "benchmarks": [_exported(record) for record in kept],
        "datetime": (first.run.started_utc if first else datetime.now(UTC)).isoformat(),
        "version": "5.1.0",
    }


def _machine(record: Record) -> dict[str, object]:
    cpu = record.system.get("cpu")
    return {**record.system, "cpu": {**(cpu if isinstance(cpu, dict) else {}), "brand_raw": record.device.name}}


def _exported(record: Record) -> dict[str, Any]:
    data = [window.duration_s / window.work for window in record.windows]
    workload = record.workload
    return {
        "group": workload.unit,
        "name": f"{workload.name}[{workload.variant}]" if workload.variant else workload.name,
        "fullname": f"perwatt::{record.id}",
        "params": None,
        "param": workload.variant or None,
        "extra_info": {
            KEY: {
                "schema": SCHEMA, "work": 1.0, "unit": workload.unit, "workload": workload.name,
                "variant": workload.variant, "version": workload.version, "id": record.id,
                "metrics": {
                    name: metric.model_dump(mode="json") for name, metric in record.metrics.items() if name != "rate"
                },
            }
        },
        "options": {"timer": "monotonic", "min_rounds": len(data), "warmup": False},
        "stats": {**_stats(data), "data": data, "iterations": 1},
    }  # fmt: skip


def _stats(data: Sequence[float]) -> dict[str, float | str]:
    """Return the statistics of pytest-benchmark's files."""
    mean, ordered = statistics.fmean(data), sorted(data)
    sd = statistics.stdev(data) if len(data) > 1 else 0.0
    q1, median, q3 = statistics.quantiles(data, n=4, method="inclusive") if len(data) > 1 else (mean,) * 3
    low, high = q1 - 1.5 * (q3 - q1), q3 + 1.5 * (q3 - q1)
    within = [value for value in ordered if low <= value <= high]
    far_iqr = sum(1 for value in data if not low <= value <= high)
    far_sd = sum(1 for value in data if abs(value - mean) > sd)
    return {
        "min": ordered[0], "max": ordered[-1], "mean": mean, "stddev": sd, "rounds": len(data), "median": median,
        "iqr": q3 - q1, "q1": q1, "q3": q3, "iqr_outliers": far_iqr, "stddev_outliers": far_sd,
        "outliers": f"{far_sd};{far_iqr}", "ld15iqr": within[0], "hd15iqr": within[-1],
        "ops": 1.0 / mean, "total": math.fsum(data),
    }  # fmt: skip
