"""The intervals of a series in the order of time: doubles, versions, gaps, resolutions, and their hourly means."""

from __future__ import annotations

import math
from array import array
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from hardware_profiles.errors import InputError
from sites.hours.calendar import HOUR_S, utc_text
from sites.hours.intervals import Intervals, step_means

if TYPE_CHECKING:
    from sites.arrays import Floats, Integers
    from sites.feeds.model import Entry

MOST_VALUE = 1e15  # in any unit; the sums of a year hold it
_SHORTEST_BLANK_S = 60  # of the empty intervals that fill up a year
MOST_ENTRIES = 10_000_000  # 95 years of five minutes


class Entries:
    """A collector of the entries of one series, in arrays of 32 bytes an entry."""

    def __init__(self) -> None:
        self._integers = {name: array("q") for name in ("start_s", "end_s", "version")}
        self._values = array("d")
        self._starts, self._ends, self._versions = self._integers.values()

    def __len__(self) -> int:
        """Return the number of entries."""
        return len(self._values)

    def add(self, entry: Entry) -> None:
        """Add an entry."""
        start_s, end_s, value, version = entry
        self._starts.append(start_s)
        self._ends.append(end_s)
        self._versions.append(version)
        self._values.append(value)

    def ordered(self, place: str) -> Ordered:
        """Return the intervals in the order of time, each once.

        Parameters
        ----------
        place
            File, for errors.

        Raises
        ------
        InputError
            An interval has two values of one version, a value is beyond every market, or intervals overlap.
        """
        start_s, end_s, version = (np.array(self._integers[name]) for name in ("start_s", "end_s", "version"))
        values = np.array(self._values)
        order = np.lexsort((np.isnan(values), -version, end_s, start_s))  # of each interval, the one that counts first
        start_s, end_s, version, values = start_s[order], end_s[order], version[order], values[order]
        beyond = np.flatnonzero(np.abs(values) > MOST_VALUE)
        if beyond.size:
            at_s, value = int(start_s[beyond[0]]), values[beyond[0]]
            raise InputError(f"{place}: expected values below {MOST_VALUE:g}, got {value:g} at {utc_text(at_s)}")
        begins = np.ones(len(values), bool)
        begins[1:] = (np.diff(start_s) != 0) | (np.diff(end_s) != 0)
        counts_at = np.flatnonzero(begins)[np.cumsum(begins) - 1]  # the entry that counts, for each one
        revised = version < version[counts_at]
        doubled = ~begins & ~revised
        differs = np.flatnonzero(doubled & (values != values[counts_at]) & ~np.isnan(values))
        if differs.size:
            raise _two_values(place, start_s, values, int(differs[0]))
        counted = int(doubled.sum()), int(revised.sum())
        result = Ordered(start_s[begins], end_s[begins], values[begins], *counted)
        result.refuse_overlaps(place)
        return result


def _two_values(place: str, start_s: Integers, values: Floats, at: int) -> InputError:
    return InputError(
        f"{place}: expected one value of the interval from {utc_text(int(start_s[at]))}, got {values[at - 1]:g} and "
        f"{values[at]:g} (two products, or an hour repeated by daylight saving without a mark)"
    )


class Statistics(NamedTuple):
    """Figures of the values of a series."""

    lowest: float
    mean: float  # weighted by time
    highest: float
    negative: int  # intervals below zero
    longest_zeros: int  # intervals in the longest run of exact zeros


@dataclass(frozen=True, slots=True)
class Ordered:
    """Intervals in the order of time, which do not overlap."""

    start_s: Integers  # [N] [s, unix]
    end_s: Integers  # [N] [s, unix]
    values: Floats  # [N] NaN where the source leaves the value empty
    doubled: int = 0  # entries that repeat an interval with the same value
    revised: int = 0  # entries that a higher version replaces

    def refuse_overlaps(self, place: str) -> None:
        """Raise InputError if two intervals overlap."""
        overlaps = np.flatnonzero(self.start_s[1:] < self.end_s[:-1])
        if overlaps.size:
            first, second = (
                f"{utc_text(int(self.start_s[at]))} to {utc_text(int(self.end_s[at]))}"
                for at in (overlaps[0], overlaps[0] + 1)
            )
            raise InputError(
                f"{place}: expected intervals one after the other, got {first} and {second} (two products?)"
            )

    @property
    def resolutions(self) -> dict[int, int]:
        """The number of intervals by their length [s], the shortest first."""
        lengths, counts = np.unique(self.end_s - self.start_s, return_counts=True)
        return {int(length): int(count) for length, count in zip(lengths, counts, strict=True)}

    @property
    def missing(self) -> int:
        """Intervals between the first and the last one that are absent or empty."""
        gaps_s = self.start_s[1:] - self.end_s[:-1]
        before = self.end_s[:-1] - self.start_s[:-1]
        return int(np.sum(-(-gaps_s // before))) + int(np.isnan(self.values).sum())

    def statistics(self) -> Statistics:
        """Return figures of the values; NaN if there is no value."""
        known = ~np.isnan(self.values)
        values = self.values[known]
        if not values.size:
            return Statistics(math.nan, math.nan, math.nan, 0, 0)
        weights = (self.end_s - self.start_s)[known]
        edges = np.flatnonzero(np.diff(np.concatenate(([0], (self.values == 0).astype(np.int8), [0]))))
        runs = edges[1::2] - edges[::2]
        return Statistics(
            lowest=float(values.min()),
            mean=float(np.average(values, weights=weights)),
            highest=float(values.max()),
            negative=int((values < 0).sum()),
            longest_zeros=int(runs.max(initial=0)),
        )

    @property
    def plain(self) -> Intervals:
        """The intervals with a value, as the dispatch takes them."""
        known = ~np.isnan(self.values)
        return Intervals(self.start_s[known], self.end_s[known], self.values[known])

    def to_steps(self, start_s: int, steps: int, step_s: int = HOUR_S) -> Floats:
        """Return the time-weighted mean of each step, shape [steps]; NaN where intervals do not cover it exactly.

        Parameters
        ----------
        start_s
            Start of the first step [s, unix].
        steps, step_s
            Number of the steps, and their length [s].
        """
        return step_means(self.plain, start_s, steps, step_s).value

    def between(self, start_s: int, end_s: int) -> Ordered:
        """Return the intervals that reach into a span [s, unix], cut at its ends, with empty ones where it has none."""
        inside = (self.end_s > start_s) & (self.start_s < end_s)
        begin, end = np.maximum(self.start_s[inside], start_s), np.minimum(self.end_s[inside], end_s)
        values = self.values[inside]
        usual_s = max(max(self.resolutions, key=lambda length: self.resolutions[length]), _SHORTEST_BLANK_S)
        edge_s = (int(begin[0]), int(end[-1])) if begin.size else (end_s, end_s)
        (first, first_end), (last, last_end) = _blank(start_s, edge_s[0], usual_s), _blank(edge_s[1], end_s, usual_s)
        return Ordered(
            np.concatenate([first, begin, last]),
            np.concatenate([first_end, end, last_end]),
            np.concatenate([np.full(first.size, math.nan), values, np.full(last.size, math.nan)]),
            self.doubled,
            self.revised,
        )

    def filled(self) -> tuple[Ordered, int]:
        """Return the series with the previous value in every interval that is absent or empty, and their number.

        What is empty at the beginning stays so.
        """
        known = np.flatnonzero(~np.isnan(self.values))
        if not known.size:
            return self, 0
        at = np.arange(known[0], self.values.size)
        last = known[np.searchsorted(known, at, side="right") - 1]
        ends = np.append(self.start_s[at[1:]], self.end_s[-1])
        values = np.concatenate([self.values[: known[0]], self.values[last]])
        ends = np.concatenate([self.end_s[: known[0]], ends])
        result = Ordered(self.start_s, ends, values, self.doubled, self.revised)
        return result, self.missing - result.missing


def _blank(start_s: int, end_s: int, length_s: int) -> tuple[Integers, Integers]:
    """Return the starts and the ends of intervals that fill a span [s, unix]."""
    starts = np.arange(start_s, end_s, length_s, dtype=np.int64)
    return starts, np.minimum(starts + length_s, end_s)
