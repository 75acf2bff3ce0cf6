"""The rows of a table under its heading, with the columns bound by name."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from sites.feeds.model import CellError

if TYPE_CHECKING:
    import re
    from collections.abc import Iterator, Sequence

    from sites.feeds.model import Heading


class Variable(NamedTuple):
    """A column whose name varies."""

    at: int  # position in a row
    match: re.Match[str]  # of the name


class Rows:
    """The rows of a table, in the order of the file; `line` is the number of the last one.

    Iterating yields the cells of each row as they are written. Rows of empty cells are left out.

    Parameters
    ----------
    names
        The column names of the heading.
    heading
        The heading that fits them.
    lines
        The numbers and the cells of the following lines.
    before
        The rows above the heading.
    unit
        What the numbers of lines count, for errors.
    """

    def __init__(
        self,
        names: Sequence[str],
        heading: Heading,
        lines: Iterator[tuple[int, list[str]]],
        before: Sequence[Sequence[str]] = (),
        unit: str = "line",
    ) -> None:
        bound = bind(names, heading)
        self.names = tuple(names)
        self.before = tuple(tuple(row) for row in before)
        self.line, self.unit = 0, unit
        self._ragged = heading.ragged
        self._lines = lines
        self._bound = bound or {}
        self._columns = {column.key: column for column in heading.columns}

    def has(self, key: str) -> bool:
        """Return whether the file has a column that is not always there."""
        return bool(self._bound.get(key))

    def at(self, key: str) -> int:
        """Return the position of a column, by the reader's name for it."""
        return self._bound[key][0]

    def name(self, key: str) -> str:
        """Return the name of a column as the file writes it, for errors."""
        return self.names[self._bound[key][0]]

    def variables(self, key: str) -> tuple[Variable, ...]:
        """Return the columns that the pattern of a column matches, in the order of the file."""
        pattern = self._columns[key].pattern
        if pattern is None:
            return ()
        matches = ((at, pattern.fullmatch(self.names[at])) for at in self._bound.get(key, ()))
        return tuple(Variable(at, match) for at, match in matches if match)

    def __iter__(self) -> Iterator[list[str]]:
        """Yield the cells of each row.

        Raises
        ------
        CellError
            A row has more or fewer cells than the heading, which is not ragged.
        """
        width = len(self.names)
        for line, cells in self._lines:
            self.line = line
            if len(cells) != width and not self._ragged:
                while len(cells) > width and not cells[-1]:
                    cells.pop()
                if not any(cells):
                    continue
                if len(cells) != width:
                    raise self._uneven(len(cells))
            yield cells

    def _uneven(self, cells: int) -> CellError:
        width = len(self.names)
        cut = cells < width and next(self._lines, None) is None
        hint = " in the last row (a truncated download?)" if cut else ""
        return CellError("row", expected=f"{width} cells, as in the heading", got=cells, hint=hint)


def bind(names: Sequence[str], heading: Heading) -> dict[str, tuple[int, ...]] | None:
    """Return the positions of the columns of a heading by their key; None if the names are not those of the heading."""
    bound: dict[str, tuple[int, ...]] = {}
    for column in heading.columns:
        places = tuple(
            at
            for at, name in enumerate(names)
            if name in column.names or (column.pattern is not None and column.pattern.fullmatch(name))
        )
        if not places and column.needed:
            return None
        if len(places) > 1 and column.pattern is None:
            return None
        bound[column.key] = places
    known = {at for places in bound.values() for at in places}
    return bound if len(known) == len(names) else None
