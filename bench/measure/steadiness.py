"""Was it steady, and were its times true: split halves, slope, durations (method rules 4 and 10). Pure functions."""

import statistics
from collections.abc import Sequence
from dataclasses import dataclass

from bench.measure import stats

RATE_HALVES_FRAC, POWER_HALVES_FRAC, SLOPE_PER_MIN = 0.01, 0.02, 0.01
SLOPE_BINS = 40


@dataclass(frozen=True, slots=True)
class Call:
    """One call of the workload: start and end [s, monotonic] and work done."""

    start_s: float
    end_s: float
    work: float


def rate_halves(windows: Sequence[Sequence[Call]]) -> float | None:
    """Return second half over first half of the rate minus 1 [-], averaged over the windows."""
    found = []
    for calls in windows:
        if len(calls) < 4:
            continue
        middle = (calls[0].start_s + calls[-1].end_s) / 2.0
        halves = ([c for c in calls if c.end_s <= middle], [c for c in calls if c.end_s > middle])
        if not halves[0] or not halves[1]:
            continue
        first, second = (sum(c.work for c in half) / sum(c.end_s - c.start_s for c in half) for half in halves)
        found.append(stats.split_halves(first, second))
    return statistics.fmean(found) if found else None


def power_halves(halves: Sequence[tuple[float, float]]) -> float | None:
    """Return second half over first half of the energy minus 1 [-], averaged over the windows."""
    return statistics.fmean(stats.split_halves(*pair) for pair in halves) if halves else None


def rate_slope(windows: Sequence[Sequence[Call]]) -> tuple[float, float] | None:
    """Return the 95 % interval of the rate's relative slope [1/min] over all windows, their calls binned in time."""
    calls = [call for window in windows for call in window]
    size = max(1, len(calls) // SLOPE_BINS)
    times, rates = [], []
    for first in range(0, len(calls), size):
        group = calls[first : first + size]
        taken_s = sum(call.end_s - call.start_s for call in group)
        if taken_s > 0.0:
            times.append((group[0].start_s + group[-1].end_s) / 2.0)
            rates.append(sum(call.work for call in group) / taken_s)
    return stats.slope_interval(times, rates)


def is_unsteady(
    rate_halves_frac: float | None,
    power_halves_frac: float | None,
    slopes: Sequence[tuple[float, float] | None],
) -> list[str]:
    """Return what was outside the limits, one text each: halves by 1 % in rate or 2 % in power, slope by 1 %/min."""
    found = []
    if rate_halves_frac is not None and abs(rate_halves_frac) > RATE_HALVES_FRAC:
        found.append(f"rate of the second half {rate_halves_frac:+.1%}")
    if power_halves_frac is not None and abs(power_halves_frac) > POWER_HALVES_FRAC:
        found.append(f"power of the second half {power_halves_frac:+.1%}")
    found.extend(
        f"slope {slope[0] * 100:+.1f} to {slope[1] * 100:+.1f} %/min"
        for slope in slopes
        if slope is not None and not stats.touches(slope, SLOPE_PER_MIN)
    )
    return found


def duration_agrees(reported_s: float, start_s: float, end_s: float) -> bool:
    """Return whether a reported duration lies within max(0.5 s, 1 %) of the end minus the start."""
    spanned_s = end_s - start_s
    return abs(reported_s - spanned_s) <= max(0.5, 0.01 * abs(spanned_s))
