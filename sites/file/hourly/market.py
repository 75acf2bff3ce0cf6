"""Market prices over time: bitcoin, fees and the rent of GPUs, each from one number or from a series."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from hardware_profiles.errors import InputError
from sites.feeds.files.source import NAMED_FEED
from sites.feeds.read import read_feed
from sites.file.difficulty import difficulty_path
from sites.file.ranges import BTC_USD, FEES, FEES_BTC, USD
from sites.file.series import SeriesColumn, means, read_intervals
from sites.file.values import SeriesTable, Value
from sites.hours.intervals import DAY_S, MARKET_LENGTHS_S, WEEK_S
from sites.market.bitcoin import DifficultyPath
from sites.market.mining import hourly_fees_frac

if TYPE_CHECKING:
    from pathlib import Path

    from hardware_profiles.errors import Faults
    from sites.arrays import Floats
    from sites.feeds.model import Quantity
    from sites.file.block_tables import InferenceTable
    from sites.file.hourly.market_tables import MarketSeriesTable
    from sites.file.hourly.reader import HourlyReader
    from sites.file.ranges import Range
    from sites.file.site_file import MarketTable
    from sites.hours.clock import Clock
    from sites.hours.intervals import Intervals

LENGTHS_S = (*MARKET_LENGTHS_S, DAY_S, WEEK_S)  # of the rows of a market series


class Quoted(NamedTuple):
    """What a key of a market price takes."""

    key: str  # in the site file
    within: Range
    quantity: Quantity | None = None  # of the feeds that it takes; None for none
    unit: str = ""  # of the feeds that it takes


BITCOIN = Quoted("market.btc_usd", BTC_USD, "btc_price", "USD/BTC")
FEES_PERCENT = Quoted("market.fees_percent_of_subsidy", FEES)
FEES_IN_BTC = Quoted("market.fees_btc_per_block", FEES_BTC)
RENT = Quoted("inference.usd_per_gpu_hour", USD, "rent", "USD/GPU-hour")


def read_market(table: MarketSeriesTable, quoted: Quoted, hourly: HourlyReader) -> Floats:
    """Return the mean of a market series over each step, [T]; a row holds until the next one.

    Rows may be 5 minutes to a day apart, or a week.

    Raises
    ------
    InputError
        The file cannot be read, does not hold what the key takes, or misses a part of the year.
    """
    path, span = hourly.folder / table.file, hourly.span

    def read(clock: Clock) -> Intervals:
        if table.feed is not None:
            return _of_feed(table, quoted, path)
        return read_intervals(path, SeriesColumn(table.column or "", quoted.within, LENGTHS_S), span, clock)

    return means(hourly.once(table, read, quoted), span, path)


def _of_feed(table: MarketSeriesTable, quoted: Quoted, path: Path) -> Intervals:
    feed = read_feed(path, table.where, table.feed, NAMED_FEED)
    if quoted.quantity is None:
        raise InputError.at(path, expected=f"a column for {quoted.key}, which takes no feed", got=feed.layout.name)
    if feed.layout.quantity != quoted.quantity or feed.unit != quoted.unit:
        raise InputError(
            f"{path}: expected a feed in {quoted.unit} for {quoted.key}, got {feed.layout.name} in {feed.unit}"
        )
    intervals = feed.intervals.plain
    outside = np.flatnonzero([value not in quoted.within for value in intervals.value.tolist()])
    if outside.size:
        raise InputError(f"{path}: expected {quoted.within}, got {intervals.value[outside[0]]:g}")
    return intervals


class BitcoinYear(NamedTuple):
    """What [market] says of bitcoin in a site's year."""

    difficulty: DifficultyPath
    mean_usd: float  # [USD/BTC]
    path_usd: Floats | None  # [USD/BTC] in each step, [T]; None if it is constant
    fees_frac: Floats  # transaction fees as a share of the subsidy, [T]
    fees_btc_per_block: float | None  # [BTC/block] if they are constant in BTC


def bitcoin_year(market: MarketTable, hourly: HourlyReader, end_s: int, path: Path, faults: Faults) -> BitcoinYear:
    """Return what [market] says of bitcoin in a site's year; `path` is the site file, `faults` collects its faults."""
    unread: Floats = np.ones(hourly.calendar.steps)
    difficulty = faults.attempt(lambda: difficulty_path(market, end_s, path), DifficultyPath())
    fees = market.fees_btc_per_block
    usd = market.btc_usd
    prices = None if isinstance(usd, Value) else faults.attempt(lambda: read_market(usd, BITCOIN, hourly), unread)
    if prices is not None:
        hourly.notes.append(_range_note("bitcoin", prices, BITCOIN.unit))
    return BitcoinYear(
        difficulty=difficulty,
        mean_usd=usd.value if isinstance(usd, Value) else float((unread if prices is None else prices).mean()),
        path_usd=prices,
        fees_frac=faults.attempt(lambda: _fees_frac(market, hourly, difficulty), unread),
        fees_btc_per_block=fees.value if isinstance(fees, Value) else None,
    )


def rented(table: InferenceTable, hourly: HourlyReader) -> tuple[InferenceTable, Floats | None]:
    """Return a block's table with the mean rent of the year, and the rent over its mean, [T]; None for a number.

    Raises
    ------
    InputError
        The series cannot be read, or a contract or a tenant who pays for power needs a constant rent.
    """
    rent = table.usd_per_gpu_hour
    if not isinstance(rent, SeriesTable):
        return table, None
    if table.take_or_pay_percent is not None or table.tenant_pays_energy:
        key = "tenant_pays_energy" if table.tenant_pays_energy else "take_or_pay_percent"
        raise InputError(f"inference[{table.name}].usd_per_gpu_hour: expected a number with {key}, got a series")
    path = read_market(rent, RENT, hourly)
    hourly.notes.append(_range_note(f"a GPU-hour of {table.name}", path, RENT.unit))
    mean = float(path.mean())
    number = Value(value=mean, source=rent.source, date=rent.date)
    return table.model_copy(update={"usd_per_gpu_hour": number}), path / mean if mean > 0.0 else None


def _range_note(what: str, path: Floats, unit: str) -> str:
    """Return a line with the lowest, highest and mean value of a price over the year."""
    return f"price of {what}: {path.min():,.6g} to {path.max():,.6g} {unit} over the year, mean {path.mean():,.6g}"


def _fees_frac(market: MarketTable, hourly: HourlyReader, difficulty: DifficultyPath) -> Floats:
    """Return transaction fees as a share of the subsidy, [T]."""
    calendar = hourly.calendar
    if market.fees_btc_per_block is not None:
        start_s, step_s = calendar.start_s, calendar.step_s
        if isinstance(market.fees_btc_per_block, Value):
            return hourly_fees_frac(market.fees_btc_per_block.value, start_s, calendar.steps, difficulty, step_s)
        per_block = read_market(market.fees_btc_per_block, FEES_IN_BTC, hourly)
        return per_block * hourly_fees_frac(1.0, start_s, calendar.steps, difficulty, step_s)
    if isinstance(market.fees_percent_of_subsidy, Value):
        return np.full(calendar.steps, market.fees_percent_of_subsidy.value / 100.0)
    if market.fees_percent_of_subsidy is not None:
        return read_market(market.fees_percent_of_subsidy, FEES_PERCENT, hourly) / 100.0
    by_month = market.fees_percent_by_month.values if market.fees_percent_by_month else ()
    return np.asarray(by_month, float)[calendar.utc_month] / 100.0
