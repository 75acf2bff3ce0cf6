"""The intervals of a file that names only their starts or only their ends."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from sites.feeds.model import CellError, Entry
from sites.hours.intervals import MARKET_LENGTHS_S, MINUTE_S, lengths_of_rows

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from sites.arrays import Integers
    from sites.feeds.selection import Selection


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
    lengths_s: tuple[int, ...] = MARKET_LENGTHS_S,
    lone_s: int = 0,
) -> Iterator[Entry]:
    """Yield the intervals of starts, as long as the distances of the rows say.

    A missing row leaves a gap that its neighbour does not cover. An interval is shorter than its neighbours only where
    the next one starts earlier.

    Parameters
    ----------
    moments
        Starts, in any order.
    selection
        The choice. If it leaves several series, the file is refused later, and nothing is kept in memory.
    column
        Name of the column of times, for errors.
    lengths_s
        The lengths [s] that the source has.
    lone_s
        The length [s] if there is only one time; 0: it is an error.

    Raises
    ------
    CellError
        No two times have a distance that is a length of the source.
    """
    rows: list[Moment] = []
    yield from _kept(moments, selection, rows)
    if not selection.is_ambiguous:
        times = np.unique(np.array([row.at_s for row in rows], np.int64))
        ends = dict(zip(times.tolist(), _ends_s(times, column, lengths_s, lone_s).tolist(), strict=True))
        for at_s, value, version in rows:
            yield Entry(at_s, ends[at_s], value, version)


def from_ends(
    moments: Iterable[Moment],
    selection: Selection,
    column: str,
    *,
    lengths_s: tuple[int, ...] = MARKET_LENGTHS_S,
    lone_s: int = 0,
) -> Iterator[Entry]:
    """Yield the intervals of ends, as long as the distances of the rows say.

    Parameters and errors are those of `from_starts`.
    """
    rows: list[Moment] = []
    yield from _kept(moments, selection, rows)
    if not selection.is_ambiguous:
        times = -np.unique(-np.array([row.at_s for row in rows], np.int64))  # the last one first
        starts = dict(zip(times.tolist(), (-_ends_s(-times, column, lengths_s, lone_s)).tolist(), strict=True))
        for at_s, value, version in rows:
            yield Entry(starts[at_s], at_s, value, version)


def _kept(moments: Iterable[Moment], selection: Selection, rows: list[Moment]) -> Iterator[Entry]:
    """Collect the moments; yield them at once if the choice leaves several series, which will be refused."""
    for moment in moments:
        if selection.is_ambiguous:
            yield Entry(moment.at_s, moment.at_s + 1, moment.value)
        else:
            rows.append(moment)


def _ends_s(times: Integers, column: str, lengths_s: tuple[int, ...], lone_s: int) -> Integers:
    """Return the ends of the intervals that begin at increasing times."""
    lengths: Integers
    if len(times) == 1 and lone_s:
        lengths = np.array([lone_s])
    elif len(times) and not np.isin(np.diff(times), lengths_s).any():
        known = ", ".join(f"{length_s / MINUTE_S:g}" for length_s in lengths_s)
        got = f"{np.diff(times).min() / MINUTE_S:g} minutes" if len(times) > 1 else "one time"
        raise CellError(column, expected=f"times {known} minutes apart, which tell the length of intervals", got=got)
    else:
        lengths = lengths_of_rows(times, lengths_s)
    ends_s: Integers = np.minimum(times + lengths, np.append(times[1:], np.iinfo(np.int64).max))
    return ends_s
