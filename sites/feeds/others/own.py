"""Prices as perwatt's own programs publish them: a JSON object with the start and the end of each interval."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sites.feeds.cells import cell_text, number
from sites.feeds.model import CellError, Document, Entry, Layout

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sites.feeds.selection import Selection

SCHEMA = "perwatt.prices/1"
_FORM = "a list [start, end, price] with times in whole seconds since 1970, the end after the start"


def _fits(document: Any) -> bool:
    return isinstance(document, dict) and document.get("schema") == SCHEMA


def _read(document: Any, selection: Selection) -> Iterator[Entry]:
    selection.takes()
    selection.states_unit(cell_text(document.get("unit", "")))
    intervals = document.get("intervals")
    if not isinstance(intervals, list):
        raise CellError("intervals", expected="a list", got=intervals)
    for at, row in enumerate(intervals):
        if not isinstance(row, list) or len(row) != 3 or not all(map(_is_time, row[:2])) or row[0] >= row[1]:
            raise CellError(f"intervals[{at}]", expected=_FORM, got=row)
        yield Entry(int(row[0]), int(row[1]), number(cell_text(row[2]), f"intervals[{at}]"))


def _is_time(value: Any) -> bool:
    return not isinstance(value, bool) and isinstance(value, int | float) and value % 1 == 0 and abs(value) < 2**53


LAYOUTS = (
    Layout(
        name="perwatt-prices",
        title="prices of perwatt's own programs, such as the digital twin (JSON)",
        quantity="price",
        unit="",
        timezone="UTC",
        label="start and end",
        repeated_hour="no repeated hour: UTC",
        document=Document("json", _fits, _read),
    ),
)
