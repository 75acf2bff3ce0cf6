"""The points of a sweep from stored records, and the records of a sweep in a results folder."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from bench.endpoint.sweep.choice import Point
from bench.endpoint.sweep.points import KNEE_FRAC, deepest_dip_frac, dips, knee
from bench.endpoint.workload import LlmServeEndpoint
from bench.measure import stats
from bench.results.folder import find_result, read_record, read_whole
from bench.results.layout import result_names
from bench.results.window_figures import metered_windows
from hardware_profiles.errors import InputError

if TYPE_CHECKING:
    from bench.results.record import Record


DRIFT_FRAC = 0.05  # [-] by which a repeated point may differ


@dataclass(frozen=True, slots=True)
class Drift:
    """A point that was measured twice and has another throughput at the end."""

    concurrency: int
    first: float  # mean throughput of the first time [token/s]
    last: float  # and of the last time [token/s]

    def words(self) -> str:
        """Return the drift and what it means in words."""
        return (
            f"{self.concurrency} at a time had {self.first:,.4g} tok/s at first and {self.last:,.4g} at last, so the "
            "loads are not comparable; measure again on a quiet, warm machine"
        )


def drift(records: "Sequence[Record]") -> Drift | None:
    """Return the drift that a repeated point shows, or None if its two throughputs cannot be told apart."""
    first: dict[int, Point] = {}
    for record in records:
        for point in points_of([record]):
            earlier = first.setdefault(point.concurrency, point)
            if earlier is point:
                continue
            ratio = stats.compare(point.tokens_per_s, earlier.tokens_per_s)
            if ratio.interval is None or ratio.interval[0] <= 1.0 <= ratio.interval[1]:
                continue
            if abs(point.rate / earlier.rate - 1.0) > DRIFT_FRAC:
                return Drift(point.concurrency, earlier.rate, point.rate)
    return None


def doubts(records: "Sequence[Record]") -> dict[str, str]:
    """Return what makes the loads of a run hard to compare, in words by a short name; empty for a good sweep."""
    found = {}
    drifted = drift(records)
    if drifted is not None:
        found["drift"] = drifted.words()
    slowed = dips({point.concurrency: point.tokens_per_s for point in points_of(records)})
    if slowed:
        found["slowed"] = (
            f"{', '.join(map(str, slowed))} at a time had fewer tokens than smaller and larger loads, so something "
            "else slowed the machine; measure again on a quiet machine"
        )
    return found


def knee_words(records: "Sequence[Record]") -> str | None:
    """Return where the throughput of a run ends to rise, in words; None for a run with fewer than three loads."""
    throughput = {point.concurrency: point.tokens_per_s for point in points_of(records)}
    if len(throughput) < 3:
        return None
    drifted = drift(records)
    if drifted is not None:
        return f"not stated: {drifted.concurrency} at a time drifted, so the loads are not comparable"
    dip_frac = deepest_dip_frac(throughput)
    if dip_frac > 1.0 - KNEE_FRAC:
        return (
            f"not stated: a load had {dip_frac:.0%} fewer tokens than a smaller and a larger one; measure again on a "
            "quiet machine"
        )
    at = knee(throughput)
    if at is None:
        return f"none up to {max(throughput)} at a time: the throughput still rises"
    return f"{at} at a time: larger loads have at most 5 % more tokens, by a curve that does not fall with the load"


def points_of(records: "Sequence[Record]") -> list[Point]:
    """Return the valid points of a closed loop with windows of their own; of a point that was repeated, the last."""
    points = {}
    for record in records:
        at = _concurrency(record)
        if record.status == "ok" and at is not None and record.rate is not None and record.windows:
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


def sweep_of(store: Path, name: str) -> "list[Record]":
    """Return the loads of one run in the order in which they were measured, without those that were corrected.

    Parameters
    ----------
    store
        The results folder.
    name
        Any result of the run, named as in `find_result`.

    Raises
    ------
    InputError
        The result is unknown, or its run has fewer than two loads of a closed loop, or other lengths.
    """
    folder = find_result(store, name)
    named, store = read_whole(folder), folder.parent  # a result may be named by its path
    ids = [id_ for id_ in result_names(store) if f"-{LlmServeEndpoint.name}-" in id_]
    of_run = [record for record in map(read_record, map(store.joinpath, ids)) if record.run.run_id == named.run.run_id]
    corrected = {record.supersedes for record in of_run}
    loads = [record for record in of_run if record.id not in corrected and _concurrency(record) is not None]
    place = f"sweep of {named.id}"
    if len({_concurrency(record) for record in loads}) < 2:
        expected = "a result of `perwatt run endpoint` with --concurrency sweep, or with two or more loads"
        raise InputError.at(place, expected=expected, got=f"one load of {named.workload.name}")
    lengths = dict.fromkeys(str(record.workload.parameters.get("lengths")) for record in loads)
    if len(lengths) > 1:
        raise InputError.at(place, "lengths", expected="the same in all loads", got=", ".join(lengths))
    return loads


def _concurrency(record: "Record") -> int | None:
    at = record.workload.parameters.get("concurrency")
    return at if isinstance(at, int) else None
