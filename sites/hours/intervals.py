"""Intervals with one value each, their lengths, and their time-weighted means over the equal steps of a year."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from sites.hours.calendar import HOUR_S

if TYPE_CHECKING:
    from sites.arrays import Floats, Integers

MINUTE_S = 60
DAY_S = 86_400
WEEK_S = 7 * DAY_S
MARKET_LENGTHS_S = (300, 600, 900, 1200, 1800, HOUR_S)  # of the intervals that power is priced by
RUN_S = DAY_S  # a length holds from where rows of that distance last this long


class Intervals(NamedTuple):
    """Intervals in the order of time that do not overlap, shape [N]."""

    start_s: Integers  # [s, unix]
    end_s: Integers  # [s, unix]
    value: Floats

    @property
    def lengths_s(self) -> list[int]:
        """Distinct lengths [s], the shortest first."""
        return [int(length) for length in np.unique(self.end_s - self.start_s)]


class StepMeans(NamedTuple):
    """The means of intervals over equal steps, shape [T]."""

    value: Floats  # NaN where intervals do not cover the whole step
    covered_s: Integers  # [s] part of the step that intervals with a value cover


def step_means(intervals: Intervals, start_s: int, steps: int, step_s: int = HOUR_S) -> StepMeans:
    """Return the time-weighted mean of the intervals that cover each step.

    A step that lies within one interval has exactly its value.

    Parameters
    ----------
    intervals
        Intervals in the order of time; a value of NaN covers nothing.
    start_s
        Start of the first step [s, unix].
    steps
        Number of steps, T.
    step_s
        Length of a step [s].
    """
    valid = ~np.isnan(intervals.value)
    begin, end, value = intervals.start_s[valid], intervals.end_s[valid], intervals.value[valid]
    first = (begin - start_s) // step_s
    total, covered = np.zeros(steps), np.zeros(steps, np.int64)
    most = int(((end - start_s - 1) // step_s - first).max(initial=0)) + 1
    for number in range(most):
        at = first + number
        low = start_s + at * step_s
        within = np.minimum(end, low + step_s) - np.maximum(begin, low)
        used = (within > 0) & (at >= 0) & (at < steps)
        np.add.at(total, at[used], value[used] * (within[used] / step_s))
        np.add.at(covered, at[used], within[used])
    total[covered != step_s] = np.nan
    return StepMeans(total, covered)


def lengths_of_rows(start_s: Integers, lengths_s: tuple[int, ...] = MARKET_LENGTHS_S) -> Integers:
    """Return the length [s] of the interval that begins with each row, from the distances of the rows.

    The resolution may change within a file. A row is as long as the distance to the next one, or from the one before,
    if rows have that distance for at least a day; else it is as long as most rows. A missing row thus leaves a gap.

    Parameters
    ----------
    start_s
        Starts of the rows [s, unix], increasing, shape [N].
    lengths_s
        Lengths that an interval may have [s]; the last one holds if no two rows have such a distance. A day stands for
        each local day, of 23 to 25 hours.
    """
    distance = np.diff(start_s)
    kind = np.where(np.abs(distance - DAY_S) <= HOUR_S, DAY_S, distance)
    allowed = np.isin(kind, lengths_s)
    known, counts = np.unique(kind[allowed], return_counts=True)
    usual = int(known[counts.argmax()]) if known.size else lengths_s[-1]
    edges = np.flatnonzero(np.diff(kind)) + 1
    runs = np.diff(np.concatenate([[0], edges, [kind.size]]))
    run = np.repeat(runs, runs)
    lasting = (run * kind >= RUN_S) & (run > 1)
    regular = np.where(allowed & (lasting | (kind == usual)), distance, 0)
    following, before = np.append(regular, 0), np.insert(regular, 0, 0)
    length: Integers = np.where(following > 0, following, np.where(before > 0, before, usual))
    return length


def native_step_s(intervals: Intervals) -> int:
    """Return the step [s] of a dispatch at the resolution of prices; an hour where no interval is shorter.

    It is the shortest usual length. Prices by run of the dispatch, whose intervals have other lengths, give 5 minutes.
    The first and the last interval may be cut by the year and do not count.
    """
    length_s = (intervals.end_s - intervals.start_s)[1:-1]
    finer = length_s[length_s < HOUR_S]
    usual = finer[np.isin(finer, MARKET_LENGTHS_S)]
    if not finer.size:
        return HOUR_S
    return int(usual.min()) if 2 * usual.size >= finer.size else MARKET_LENGTHS_S[0]


def means_note(intervals: Intervals, what: str, start_s: int, step_s: int = HOUR_S) -> str:
    """Return a line that says how intervals became the steps of a year; empty where each step is one of them.

    Parameters
    ----------
    intervals
        The intervals.
    what
        What they are, in the plural: "prices of prices.csv".
    start_s, step_s
        Start of the first step [s, unix], and length of a step [s].
    """
    named = {HOUR_S: "hourly means"}.get(step_s, f"means of {step_s // MINUTE_S} minutes")
    finer = [length_s for length_s in intervals.lengths_s if length_s != step_s]
    if min(finer, default=step_s) < step_s:
        return f"{' and '.join(map(length_text, intervals.lengths_s))} {what}: {named}"
    if ((intervals.start_s - start_s) % min(intervals.lengths_s, default=step_s)).any():
        return f"{what} begin within the hours of the site's clock: time-weighted {named}"
    return ""


def length_text(length_s: int) -> str:
    """Return the length of an interval as an adjective: 15-minute, hourly, daily."""
    named = {HOUR_S: "hourly", DAY_S: "daily", WEEK_S: "weekly"}
    return named.get(length_s, f"{length_s // MINUTE_S}-minute")
