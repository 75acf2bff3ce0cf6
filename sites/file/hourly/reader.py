"""The reader of the hourly series that a site file names."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol, TypeVar

from sites.file.hourly.market_file import Read, feed_named, read_prices
from sites.file.hourly.memory import once
from sites.file.prices.tables import PriceSeriesTable
from sites.file.ranges import PRICE, Range
from sites.file.series import SeriesColumn, Span, means, read_intervals
from sites.hours.calendar import HOUR_S
from sites.hours.intervals import means_note, native_step_s

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable
    from pathlib import Path

    from sites.arrays import Floats
    from sites.file.values import HourlyTable
    from sites.hours.calendar import Calendar
    from sites.hours.clock import Clock
    from sites.hours.intervals import Intervals

T = TypeVar("T")
_CURE = 'fill = "previous" repeats the price before each gap'


class FileTable(Protocol):
    """A table of a site file that names a file."""

    @property
    def file(self) -> str:
        """Path relative to the site file."""
        ...

    def model_dump_json(self) -> str:
        """Return the table as text."""
        ...


@dataclass(frozen=True, slots=True)
class HourlyReader:
    """A reader of a site's hourly series, with notes on how they are read."""

    folder: Path  # of the site file
    calendar: Calendar
    clock: Clock
    currency: str  # of the prices
    notes: list[str] = field(default_factory=list)

    def read(self, table: HourlyTable | PriceSeriesTable, within: Range) -> Floats:
        """Return the mean of a table's series over each step, [T]."""
        path, span = self.folder / table.file, self.span
        series = self._series(table, within)
        if isinstance(series, Read):
            values = means(series.intervals, span, path, _CURE)
            notes = (series.means_note(span.step_s), *series.notes)
        else:
            values = means(series, span, path)
            what = f"prices of {path.name}" if within is PRICE else f"values of {path.name}, column {table.column}"
            notes = (means_note(series, what, span.start_s, span.step_s),)
        self.notes.extend(note for note in notes if note)
        return values

    def price_step_s(self, table: PriceSeriesTable | None) -> int:
        """Return the step [s] that a table's prices give a native dispatch; an hour where no price is finer."""
        if table is None:
            return HOUR_S
        series = self._series(table, PRICE)
        return native_step_s(series.intervals if isinstance(series, Read) else series)

    def _series(self, table: HourlyTable | PriceSeriesTable, within: Range) -> Intervals | Read:
        path, span = self.folder / table.file, self.span

        def read(clock: Clock) -> Intervals | Read:
            if not isinstance(table, PriceSeriesTable):
                return read_intervals(path, SeriesColumn(table.column, within), span, clock)
            if table.column is None:
                return read_prices(table, path, self.currency, span)
            with feed_named(path):
                return read_intervals(path, SeriesColumn(table.column, within), span, clock)

        return self.once(table, read, within, self.currency)

    def once(self, table: FileTable, read: Callable[[Clock], T], *facts: Hashable) -> T:
        """Return what is read of a table's file in the year, once as long as the file does not change.

        `facts` are what the result depends on besides the table, the year and the zone.
        """
        span = self.span
        own = (table.model_dump_json(), span.start_s, span.end_s, *facts)
        return once(self.folder / table.file, self.clock, own, read)

    @property
    def span(self) -> Span:
        """The steps of the year."""
        return Span(self.calendar.start_s, self.calendar.steps, self.calendar.step_s)
