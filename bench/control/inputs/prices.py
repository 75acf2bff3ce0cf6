"""The price intervals of a source: read from a file, merged with those before, and the few around a moment."""

from bisect import bisect_left, bisect_right
from collections.abc import Iterable
from pathlib import Path

from bench.control.inputs.tables import PriceTable
from hardware_profiles.errors import InputError
from sites.control.model import Price
from sites.feeds.files.source import NAMED_FEED
from sites.feeds.read import recognised
from sites.file.hourly.market_file import read_prices
from sites.file.series import Span
from sites.hours.calendar import HOUR_S

BEGUN, TO_COME = 12, 12  # intervals around a moment: what windows of prices and an outlook need
_KEPT_S = 3 * 86_400  # before and after now


def read_file(table: PriceTable, path: Path, now_s: float, source: str) -> tuple[Price, ...]:
    """Return the intervals of a market file that lie within three days of now.

    Parameters
    ----------
    table
        [price] of the control file.
    path
        The file.
    now_s
        Now [s, Unix].
    source
        Name of the source, as the prices carry it.

    Raises
    ------
    InputError
        The file cannot be read as the table says, or holds no price of these days.
    """
    feed = None if table.feed or table.value else feed_of(path)
    first_s = int(now_s // HOUR_S) * HOUR_S - _KEPT_S
    span = Span(first_s, 2 * _KEPT_S // HOUR_S)
    intervals = read_prices(table.series(path, feed), path, table.currency, span).intervals
    rate = table.currency_per_usd or 1.0
    prices = tuple(
        Price(value / rate, float(start_s), float(end_s), now_s, source)
        for start_s, end_s, value in zip(*(column.tolist() for column in intervals), strict=True)
    )
    if not prices:
        raise InputError(f"{path}: expected prices within three days of now, got none")
    return prices


def feed_of(path: Path) -> str:
    """Return the feed of a market file by its columns; raise InputError for another layout."""
    layout = recognised(path, NAMED_FEED)
    if layout is None:
        raise InputError(
            f"{path}: expected a market file of a layout that `perwatt feed list` shows (or state feed, or value, "
            "time and unit in [price]), got another one"
        )
    return layout.name


def merged(before: Iterable[Price], fresh: Iterable[Price], now_s: float) -> tuple[Price, ...]:
    """Return the intervals of two readings, oldest first: a fresh one replaces those that it overlaps.

    An interval that comes again with the same price keeps the time at which it was received. One that a later answer
    leaves out stays: a gap is no evidence of another price.
    """
    known = {(price.start_s, price.end_s, price.usd_per_mwh): price for price in before}
    latest = sorted(
        (known.get((price.start_s, price.end_s, price.usd_per_mwh), price) for price in fresh),
        key=lambda price: price.start_s,
    )
    starts = [price.start_s for price in latest]
    kept = [price for price in known.values() if not _overlaps(price, latest, starts)]
    both = sorted((*kept, *latest), key=lambda price: price.start_s)
    return tuple(price for price in both if price.end_s > now_s - _KEPT_S)


def _overlaps(price: Price, latest: list[Price], starts: list[float]) -> bool:
    at = bisect_left(starts, price.end_s)
    return at > 0 and latest[at - 1].end_s > price.start_s


def around(prices: tuple[Price, ...], now_s: float) -> tuple[Price, ...]:
    """Return the last intervals that have begun and the next ones to come, oldest first."""
    at = bisect_right(prices, now_s, key=lambda price: price.start_s)
    return prices[max(0, at - BEGUN) : at + TO_COME]
