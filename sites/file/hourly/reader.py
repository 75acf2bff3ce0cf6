"""The reader of the hourly series that a site file names."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from sites.file.hourly.market_file import read_prices
from sites.file.prices.tables import PriceSeriesTable
from sites.file.ranges import PRICE, Range
from sites.file.series import Span, means, read_intervals
from sites.hours.intervals import means_note

if TYPE_CHECKING:
    from sites.arrays import Floats
    from sites.file.values import HourlyTable
    from sites.hours.calendar import Calendar
    from sites.hours.clock import Clock


class HourlyReader(NamedTuple):
    """A reader of a site's hourly series, with a note on each that is not hourly."""

    folder: Path  # of the site file
    calendar: Calendar
    clock: Clock
    notes: list[str]
    currency: str  # of the prices

    def read(self, table: HourlyTable | PriceSeriesTable, within: Range) -> Floats:
        """Return the series of a table, [T]."""
        path = self.folder / table.file
        span = Span(self.calendar.start_s, self.calendar.hours)
        if isinstance(table, PriceSeriesTable) and table.column is None:
            prices = read_prices(table, path, self.currency, span)
            self.notes.extend(prices.notes)
            return means(prices.intervals, span, path)
        intervals = read_intervals(path, table.column or "", span, within, self.clock)
        values = means(intervals, span, path)
        what = f"prices of {path.name}" if within is PRICE else f"values of {path.name}, column {table.column}"
        if note := means_note(intervals, what, span.start_s):
            self.notes.append(note)
        return values
