"""Steadiness of a run and truth of its durations, as pure functions: split halves, slopes, reported durations.

These are the method rules 4 and 10.
"""

import statistics
from collections.abc import Sequence
from dataclasses import dataclass

from bench import limits
from bench.measure import stats

SLOPE_BINS = 40


@dataclass(frozen=True, slots=True)
class Call:
    """One call of the workload."""

    start_s: float  # [s, monotonic]
    end_s: float
    work: float  # units of work done


def rate_halves(windows: Sequence[Sequence[Call]]) -> float | None:
    """Return the rate of the second half over that of the first, minus 1 [-], averaged over the windows."""
    changes = []
    for calls in windows:
        if len(calls) < 4:
            continue
        middle = (calls[0].start_s + calls[-1].end_s) / 2.0
        halves = ([c for c in calls if c.end_s <= middle], [c for c in calls if c.end_s > middle])
        if not halves[0] or not halves[1]:
            continue
        first, second = (sum(c.work for c in half) / sum(c.end_s - c.start_s for c in half) for half in halves)
        changes.append(stats.split_halves(first, second))
    return statistics.fmean(changes) if changes else None


def power_halves(halves: Sequence[tuple[float, float]]) -> float | None:
    """Return the energy of the second half over that of the first, minus 1 [-], averaged over the windows."""
    return statistics.fmean(stats.split_halves(*pair) for pair in halves) if halves else None


def rate_slope(windows: Sequence[Sequence[Call]]) -> tuple[float, float] | None:
    """Return the 95 % interval of the rate's relative slope [1/min] over all windows, from calls binned in time."""
    calls = [call for window in windows for call in window]
    size = max(1, len(calls) // SLOPE_BINS)
    times, rates = [], []
    for first in range(0, len(calls), size):
        group = calls[first : first + size]
        busy_s = sum(call.end_s - call.start_s for call in group)
        if busy_s > 0.0:
            times.append((group[0].start_s + group[-1].end_s) / 2.0)
            rates.append(sum(call.work for call in group) / busy_s)
    return stats.slope_interval(times, rates)


def is_unsteady(
    rate_halves_frac: float | None,
    power_halves_frac: float | None,
    slopes: Sequence[tuple[float, float] | None],
) -> list[str]:
    """Return a text for each change of rate or power beyond its limit (method rule 10)."""
    texts = []
    if rate_halves_frac is not None and abs(rate_halves_frac) > limits.RATE_HALVES_FRAC:
        texts.append(f"rate of the second half {rate_halves_frac:+.1%}")
    if power_halves_frac is not None and abs(power_halves_frac) > limits.POWER_HALVES_FRAC:
        texts.append(f"power of the second half {power_halves_frac:+.1%}")
    texts.extend(
        f"slope {slope[0] * 100:+.1f} to {slope[1] * 100:+.1f} %/min"
        for slope in slopes
        if slope is not None and not stats.touches(slope, limits.SLOPE_PER_MIN)
    )
    return texts


def duration_agrees(reported_s: float, start_s: float, end_s: float) -> bool:
    """Return whether a reported duration [s] agrees with the end minus the start (method rule 4)."""
    span_s = end_s - start_s
    allowed_s = max(limits.DURATION_ERROR_S, limits.DURATION_ERROR_FRAC * abs(span_s))
    return abs(reported_s - span_s) <= allowed_s
