"""The points of a sweep from stored records."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from bench.endpoint.sweep.choice import Point
from bench.results.window_figures import metered_windows

if TYPE_CHECKING:
    from bench.results.record import Record


def points_of(records: "Sequence[Record]") -> list[Point]:
    """Return the valid points of a closed loop with windows of their own; of a point that was repeated, the last."""
    points = {}
    for record in records:
        at = record.workload.parameters.get("concurrency")
        if record.status == "ok" and isinstance(at, int) and record.rate is not None and record.windows:
            points[at] = _point(record, at)
    return list(points.values())


def _point(record: "Record", concurrency: int) -> Point:
    energy, metrics = record.energy_per_unit, record.metrics
    metered = metered_windows(record.windows, energy.meter) if energy is not None and energy.meter else None
    tpot, ttft = metrics.get("tpot_q50"), metrics.get("ttft_q50")
    return Point(
        concurrency=concurrency,
        record_id=record.id,
        tokens_per_s=tuple(window.rate_per_s for window in record.windows),
        j_per_token=tuple(metered.energy_j_per_unit) if metered is not None else None,
        power_w=record.power.value if record.power is not None else None,
        tpot_s=tpot.value if tpot is not None else None,
        ttft_s=ttft.value if ttft is not None else None,
        codes=tuple(reason.code for reason in record.warnings),
    )
