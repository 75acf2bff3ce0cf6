"""The prices of a market file as downloaded, or of a table that the user describes, in the unit of the site."""

from __future__ import annotations

import json
from contextlib import contextmanager
from typing import TYPE_CHECKING, NamedTuple

from hardware_profiles.errors import InputError, shown
from sites.feeds.files.source import NAMED_FEED
from sites.feeds.flags import flags
from sites.feeds.generic import Declared, read_declared
from sites.feeds.read import read_feed, recognised
from sites.file.ranges import PRICE
from sites.hours.calendar import HOUR_S, utc_text
from sites.hours.intervals import MINUTE_S

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from sites.feeds.read import Feed
    from sites.file.prices.tables import PriceSeriesTable
    from sites.file.series import Span
    from sites.hours.intervals import Intervals

_MOST_LENGTHS = 3  # that a line names one by one
_PER_MWH = {"MWh": 1.0, "kWh": 1000.0}


class Read(NamedTuple):
    """The prices of a file."""

    intervals: Intervals
    notes: tuple[str, ...]
    label: str  # file, layout and choice
    lengths: dict[int, int]  # number of intervals by their length [s]

    def means_note(self, step_s: int) -> str:
        """Return a line that says which intervals became means over steps of a length [s]; empty without any."""
        lengths = {length_s: count for length_s, count in self.lengths.items() if length_s != step_s}
        if not lengths or (min(lengths) > step_s and step_s != HOUR_S):
            return ""
        minutes = " and ".join(f"{length_s / MINUTE_S:g}" for length_s in lengths)
        if len(lengths) > _MOST_LENGTHS:
            minutes = f"{min(lengths) / MINUTE_S:.2g} to {max(lengths) / MINUTE_S:.2g}"
        means = "hourly means" if step_s == HOUR_S else f"means of {step_s // MINUTE_S} minutes"
        return f"{sum(lengths.values()):,} prices of {minutes} minutes ({self.label}): {means}"


@contextmanager
def feed_named(path: Path) -> Iterator[None]:
    """Name the feed of a market file that the body refuses to read as a series of perwatt's own form."""
    try:
        yield
    except InputError:
        layout = recognised(path, NAMED_FEED)
        if layout is None:
            raise
        got = f"a market file of {layout.name}: state feed = {json.dumps(layout.name)} in place of column"
        raise InputError(f"{path}: expected a series with a column `time`, got {got}") from None


def read_prices(table: PriceSeriesTable, path: Path, currency: str, span: Span) -> Read:
    """Return the prices [currency/MWh] of a market file or of a described table.

    Parameters
    ----------
    table
        [price.hourly] of the site file.
    path
        The file.
    currency
        Currency of the site, which the file must have as well.
    span
        The hours of the site's year.

    Raises
    ------
    InputError
        The file cannot be read, does not hold prices in the site's currency, or has a price beyond every market.
    """
    feed = _feed(table, path)
    scale = _scale(feed, path, currency)
    series = feed.intervals.between(span.start_s, span.end_s)
    chosen = "".join(f", {value}" for value in feed.chosen.values())
    label, lengths = f"{path.name}: {feed.layout.name}{chosen}", series.resolutions
    notes = [f"{path.name}: {flag}" for flag in flags(feed)]
    if table.fill is not None:
        series, count = series.filled()
        if count:
            notes.append(f"{path.name}: {count:,} missing intervals have the price of the interval before them")
    if scale != 1.0:
        notes.append(f"{path.name}: prices in {feed.unit} are multiplied by {scale:g}")
    intervals = series.plain._replace(value=series.plain.value * scale)
    outside = [at for at, value in enumerate(intervals.value.tolist()) if value not in PRICE]
    if outside:
        at_s, value = int(intervals.start_s[outside[0]]), intervals.value[outside[0]]
        raise InputError(f"{path}: expected prices of {PRICE}, got {value:g} at {utc_text(at_s)}")
    return Read(intervals, tuple(notes), label, lengths)


def _feed(table: PriceSeriesTable, path: Path) -> Feed:
    if table.feed is not None:
        return read_feed(path, table.choices, table.feed, NAMED_FEED)
    declared = Declared(
        time=table.time or "",
        value=table.value or "",
        unit=table.unit or "",
        timezone=table.timezone,
        label=table.label or "start",
        separator=table.separator or ",",
        decimal=table.decimal or ".",
        time_format=table.time_format,
        minutes=table.minutes,
        repeated_hour=table.repeated_hour,
        where=table.where,
    )
    return read_declared(path, declared, NAMED_FEED)


def _scale(feed: Feed, path: Path, currency: str) -> float:
    """Return the factor from the feed's unit to the site's currency per MWh."""
    if feed.layout.quantity != "price":
        raise InputError(f"{path}: expected a feed of power prices, got {feed.layout.name}: {feed.layout.title}")
    own, _, per = feed.unit.partition("/")
    if per not in _PER_MWH:
        raise InputError(f"{path}: expected prices per MWh or kWh, got {shown(feed.unit)}")
    if own != currency:
        raise InputError(
            f"{path}: expected prices in {currency}, the currency of [price], got {feed.unit}: state currency = "
            f"{shown(own)} and currency_per_usd in [price], or take a file in {currency}"
        )
    return _PER_MWH[per]
