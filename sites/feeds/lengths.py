"""The lengths of intervals where a file names only their starts or only their ends."""

from __future__ import annotations

from collections import Counter
from itertools import pairwise
from typing import TYPE_CHECKING, NamedTuple

from sites.feeds.model import CellError, Entry

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from sites.feeds.selection import Selection

STEPS_S = (300, 900, 1800, 3600)


class Moment(NamedTuple):
    """The start or the end of an interval, and its value."""

    at_s: int  # [s, unix]
    value: float
    version: int = 0


def from_starts(
    moments: Iterable[Moment],
    selection: Selection,
    column: str,
    *,
    lone_s: int = 0,
    steps_s: Sequence[int] = STEPS_S,
) -> Iterator[Entry]:
    """Yield the intervals of starts, all of one length.

    The length is the most frequent distance of neighbouring times. An interval is shorter only where the next one
    starts earlier, so a missing row leaves a gap that its neighbour does not cover.

    Parameters
    ----------
    moments
        Starts, in any order.
    selection
        The choice. If it leaves several series, the file is refused later, and nothing is kept in memory.
    column
        Name of the column of times, for errors.
    lone_s
        The length [s] if there is only one time; 0: it is an error.
    steps_s
        The lengths [s] that the source has.

    Raises
    ------
    CellError
        The length is none of the source's, or there is no second time to tell it.
    """
    rows: list[Moment] = []
    yield from _kept(moments, selection, rows)
    if selection.is_ambiguous:
        return
    times = sorted({row.at_s for row in rows})
    step_s = _step_s(times, column, lone_s, steps_s)
    following = dict(pairwise(times))
    for at_s, value, version in rows:
        yield Entry(at_s, min(at_s + step_s, following.get(at_s, at_s + step_s)), value, version)


def from_ends(
    moments: Iterable[Moment],
    selection: Selection,
    column: str,
    *,
    lone_s: int = 0,
    steps_s: Sequence[int] = STEPS_S,
) -> Iterator[Entry]:
    """Yield the intervals of ends, all of one length, and shorter only where the interval before them ends later.

    Parameters and errors are those of `from_starts`.
    """
    rows: list[Moment] = []
    yield from _kept(moments, selection, rows)
    if selection.is_ambiguous:
        return
    times = sorted({row.at_s for row in rows})
    step_s = _step_s(times, column, lone_s, steps_s)
    before = {later: earlier for earlier, later in pairwise(times)}
    for at_s, value, version in rows:
        yield Entry(max(at_s - step_s, before.get(at_s, at_s - step_s)), at_s, value, version)


def from_changing_starts(moments: Iterable[Moment], selection: Selection, column: str) -> Iterator[Entry]:
    """Yield the intervals of starts whose length may change within the file, such as from 60 to 15 minutes.

    An interval is as long as the shorter one of the distances to the times before and after it, so a missing row
    leaves a gap. Parameters are those of `from_starts`.

    Raises
    ------
    CellError
        No other time is within an hour of a time, so its length is unknown.
    """
    rows: list[Moment] = []
    yield from _kept(moments, selection, rows)
    if selection.is_ambiguous:
        return
    times = sorted({row.at_s for row in rows})
    before = {later: earlier for earlier, later in pairwise(times)}
    following = dict(pairwise(times))
    longest_s = STEPS_S[-1]
    for at_s, value, version in rows:
        step_s = min(following.get(at_s, at_s + 2 * longest_s) - at_s, at_s - before.get(at_s, at_s - 2 * longest_s))
        if step_s > longest_s:
            raise CellError(
                column, expected="another time at most 60 minutes before or after each one", got="a lone time"
            )
        yield Entry(at_s, at_s + step_s, value, version)


def _kept(moments: Iterable[Moment], selection: Selection, rows: list[Moment]) -> Iterator[Entry]:
    """Collect the moments; yield them at once if the choice leaves several series, which will be refused."""
    for moment in moments:
        if selection.is_ambiguous:
            yield Entry(moment.at_s, moment.at_s + 1, moment.value)
        else:
            rows.append(moment)


def _step_s(times: Sequence[int], column: str, lone_s: int, steps_s: Sequence[int]) -> int:
    distances = Counter(later - earlier for earlier, later in pairwise(times))
    if not distances:
        if lone_s or not times:
            return lone_s
        raise CellError(
            column, expected="two times or more, whose distance is the length of an interval", got="one time"
        )
    most = max(distances.values())
    step_s = min(distance for distance, count in distances.items() if count == most)
    if step_s not in steps_s:
        known = ", ".join(f"{step / 60:g}" for step in steps_s)
        raise CellError(column, expected=f"times {known} minutes apart", got=f"{step_s / 60:g} minutes")
    return step_s
