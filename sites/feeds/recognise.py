"""The recognition of a market file by the exact names of its columns, or by the shape of its document."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING, Any, NamedTuple

from hardware_profiles.errors import InputError, shown
from sites.feeds.rows import bind

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from sites.feeds.model import Heading, Layout

HEAD_LINES = 40  # among which a heading stands; some sources write a preamble
_NEAREST = 3
_SHOWN_COLUMNS = 4
_SHOWN_TEXTS = 50
SEPARATORS = {",": "comma", ";": "semicolon", "\t": "tab", "|": "vertical bar"}


@dataclass(frozen=True, slots=True)
class Table:
    """A layout, the heading that fits, and the line where it stands."""

    layout: Layout
    heading: Heading
    at: int  # position among the first lines
    names: tuple[str, ...]


class _Near(NamedTuple):
    """How near a line is to a heading."""

    share: float  # of the names that both have
    name: str
    lacks: tuple[str, ...]
    has: tuple[str, ...]
    twice: tuple[str, ...]


def names_of(cells: Iterable[str]) -> tuple[str, ...]:
    """Return the names of columns without blanks and marks at their ends, and without the empty ones at the end."""
    names = [cell.strip(" \t\u00a0\ufeff\r\n") for cell in cells]
    while names and not names[-1]:
        names.pop()
    return tuple(names)


def split(line: str, separator: str) -> list[str]:
    """Return the cells of one line of text; an unclosed quotation makes it one cell."""
    try:
        return next(csv.reader([line], delimiter=separator, skipinitialspace=True), [])
    except csv.Error:
        return [line]


def table_of(path: object, head: Sequence[str | list[str]], layouts: Sequence[Layout], asked: str | None) -> Table:
    """Return the one layout whose heading stands among the first lines of a table.

    Parameters
    ----------
    path
        File, for errors.
    head
        The first lines: text, or the cells of a sheet.
    layouts
        All layouts.
    asked
        Name of the layout that the user states, or None.

    Raises
    ------
    InputError
        No heading fits, or several do and the user states none of them, or another one than the user states.
    """
    for at, line in enumerate(head):
        fits = _fits(at, line, layouts)
        fitting = {table.layout.name: table for table in fits}
        if asked in fitting:
            return fitting[asked]
        if fitting and asked is not None:
            got = " or ".join(fitting)
            raise InputError(f"{path}: expected the columns of {asked}, got those of {got}")
        if len(fitting) == 1:
            return fits[0]
        if fitting:
            names = " or ".join(fitting)
            raise InputError(f"{path}: expected the name of the feed, because the columns fit several: {names}")
    known = [layout for layout in layouts if asked in (None, layout.name)]
    _check_separator(path, head, known)
    raise _unknown(path, head, known, asked)


def _check_separator(path: object, head: Sequence[str | list[str]], layouts: Sequence[Layout]) -> None:
    """Refuse a file that a spreadsheet saved anew: it has the columns of a layout with another separator."""
    for line in head:
        for mark, name in SEPARATORS.items():
            if isinstance(line, list) or mark not in line:
                continue
            names = names_of(split(line, mark))
            for layout in layouts:
                own = next((heading for heading in layout.headings if bind(names, heading) is not None), None)
                if own is not None:
                    raise InputError(
                        f"{path}: expected the columns of {layout.name} separated by a {SEPARATORS[own.separator]}, as "
                        f"downloaded, got them separated by a {name}"
                    )


def _fits(at: int, line: str | list[str], layouts: Sequence[Layout]) -> list[Table]:
    cut: dict[str, tuple[str, ...]] = {}
    fits = []
    for layout in layouts:
        for heading in layout.headings:
            names = _names(line, heading.separator, cut)
            if names and bind(names, heading) is not None:
                fits.append(Table(layout, heading, at, names))
                break
    return fits


def _names(line: str | list[str], separator: str, cut: dict[str, tuple[str, ...]]) -> tuple[str, ...]:
    if separator not in cut:
        cut[separator] = names_of(split(line, separator) if isinstance(line, str) else line)
    return cut[separator]


def _unknown(path: object, head: Sequence[str | list[str]], layouts: Sequence[Layout], asked: str | None) -> InputError:
    nearest = [near for near in (_nearest(head, layout) for layout in layouts) if near is not None]
    nearest.sort(key=lambda near: -near.share)
    told = "; ".join(_described(near) for near in nearest[:_NEAREST])
    first = next((line for line in head if any(cell.strip() for cell in line)), "")
    got = shown(first.strip() if isinstance(first, str) else ",".join(first))
    what = f"the columns of {asked}" if asked else "the columns of a known feed"
    tail = f"nearest: {told}" if told else "`perwatt feed list` shows what is known"
    return InputError(f"{path}: expected {what}, got {got} ({tail})")


def _nearest(head: Sequence[str | list[str]], layout: Layout) -> _Near | None:
    nears = [_near(names_of(split(line, heading.separator) if isinstance(line, str) else line), heading, layout.name)
             for heading in layout.headings for line in head]  # fmt: skip
    best = max(nears, key=lambda near: near.share, default=None)
    return best if best is not None and best.share > 0 else None


def _near(names: Sequence[str], heading: Heading, layout: str) -> _Near:
    left = list(names)
    lacks = []
    twice = tuple(dict.fromkeys(name for name in names if names.count(name) > 1))
    common = 0
    for column in heading.columns:
        same = [name for name in left if name in column.names or (column.pattern and column.pattern.fullmatch(name))]
        left = [name for name in left if name not in same]
        if column.needed or column.names:  # other columns may have any name
            common += len(same)
        if not same and column.needed:
            lacks.append(column.names[0] if column.names else column.key)
    return _Near(common / (len(names) + len(lacks) or 1), layout, tuple(lacks), tuple(left), twice)


def _described(near: _Near) -> str:
    differences = (("lacks {}", near.lacks), ("adds {}", near.has), ("has {} twice", near.twice))
    parts = [form.format(_listed(names)) for form, names in differences if names]
    return f"{near.name}, where this file {' and '.join(parts)}" if parts else near.name


def _listed(names: Sequence[str]) -> str:
    more = len(names) - _SHOWN_COLUMNS
    return ", ".join(shown(name) for name in names[:_SHOWN_COLUMNS]) + (f" and {more} more" if more > 0 else "")


def document_layout(path: object, document: Any, form: str, layouts: Sequence[Layout], asked: str | None) -> Layout:
    """Return the one layout that a JSON value or the root element of an XML file has.

    Raises
    ------
    InputError
        None or several fit, or another one than the user states.
    """
    fits = {
        layout.name: layout
        for layout in layouts
        if layout.document is not None and layout.document.form == form and layout.document.fits(document)
    }
    if asked in fits:
        return fits[asked]
    if len(fits) == 1 and asked is None:
        return next(iter(fits.values()))
    if not fits:
        what = asked or "a known feed"
        raise InputError(f"{path}: expected the {form.upper()} of {what}, got {_summary(document)}")
    got = " or ".join(fits)
    if asked is not None:
        raise InputError(f"{path}: expected the {form.upper()} of {asked}, got that of {got}")
    raise InputError(f"{path}: expected the name of the feed, because the document fits several: {got}")


def _summary(document: Any) -> str:
    if isinstance(document, dict):
        return f"an object with {_listed([str(key) for key in document]) or 'nothing in it'}"
    if isinstance(document, list):
        return f"a list that begins with {shown(document[0])}" if document else "an empty list"
    tag = getattr(document, "tag", None)
    if tag is None:
        return shown(document)
    text = " ".join(" ".join(islice(document.itertext(), _SHOWN_TEXTS)).split())  # often the reason of an error
    return f"the element {shown(tag.rpartition('}')[2])}" + (f" with the text {shown(text)}" if text else "")
