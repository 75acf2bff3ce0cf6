"""Bitcoin's price over time: exports of CoinGecko and CoinMarketCap, and candles of Kraken and Coinbase.

A candle counts with its close. A quoted price holds from its time to the next one, for at most the rest of the UTC day.
Only Kraken's says which coin it is about and in what currency: the others are taken as USD for one bitcoin.
"""

from __future__ import annotations

import math
import re
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from sites.feeds.cells import cell_text, number
from sites.feeds.model import CellError, Column, Document, Entry, Heading, Layout
from sites.feeds.wall_time import DAY_S, WallClock, iso_unix_s

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from sites.feeds.rows import Rows
    from sites.feeds.selection import Selection

_DOLLARS = "USD/BTC"
_PAIR = re.compile(r"X?(XBT|BTC)[/Z]?(?P<currency>[A-Z]{3})")
_FIRST_S, _LAST_S = 1_230_768_000, 4_102_444_800  # [s, unix] 2009 and 2100; milliseconds are beyond them
_CANDLE_CELLS = {"kraken": 8, "coinbase": 6}


def quotes_until_next(quotes: Iterator[tuple[int, float]], column: str) -> Iterator[Entry]:
    """Yield the entries of prices that hold until the next one, for at most the rest of the UTC day."""
    last: tuple[int, float] | None = None
    for time_s, value in quotes:
        if last is not None:
            if time_s <= last[0]:
                raise CellError(column, expected="times that go forward", got=time_s)
            yield Entry(last[0], min(time_s, _midnight_s(last[0])), last[1])
        last = (time_s, value)
    if last is not None:
        yield Entry(last[0], _midnight_s(last[0]), last[1])


def _midnight_s(time_s: int) -> int:
    """Return the end [s, unix] of the UTC day of a time."""
    return time_s // DAY_S * DAY_S + DAY_S


def _coingecko(rows: Rows, selection: Selection) -> Iterator[Entry]:
    selection.takes()
    clock = WallClock("UTC", "%Y-%m-%d")
    column = "snapped_at"

    def quotes() -> Iterator[tuple[int, float]]:
        for cells in rows:
            date, _, time = cells[rows.at("time")].strip().partition(" ")
            if not time.endswith(" UTC"):
                raise CellError(column, expected="YYYY-MM-DD HH:MM:SS UTC", got=cells[rows.at("time")])
            time_s = clock.day(date, column) * DAY_S + clock.time_s(time.removesuffix(" UTC"), column)
            yield time_s, number(cells[rows.at("price")], "price")

    yield from quotes_until_next(quotes(), column)


def _chart(rows: Rows, selection: Selection) -> Iterator[Entry]:
    selection.takes()
    quotes = (
        (iso_unix_s(cells[rows.at("time")], "timestamp"), number(cells[rows.at("price")], "price")) for cells in rows
    )
    yield from quotes_until_next(quotes, "timestamp")


def _history(rows: Rows, selection: Selection) -> Iterator[Entry]:
    selection.takes()
    opens, closes, price = (rows.at(key) for key in ("opens", "closes", "close"))
    for cells in rows:
        start_s = iso_unix_s(cells[opens], "timeOpen")
        end_s = iso_unix_s(cells[closes], "timeClose")  # 23:59:59.999 rounds to midnight
        if end_s <= start_s:
            raise CellError("timeClose", expected="a time after timeOpen", got=cells[closes])
        yield Entry(start_s, end_s, number(cells[price], "close"))


def _kraken(document: Any, selection: Selection) -> Iterator[Entry]:
    if document["error"]:
        raise CellError("error", expected="no error", got=document["error"])
    result = document["result"]
    for name, candles in result.items():
        if name == "last" or not selection.takes(name):
            continue
        pair = _PAIR.fullmatch(name)
        if not pair:
            raise CellError("result", expected="a pair of Bitcoin, such as XXBTZUSD", got=name)
        selection.states_unit(f"{pair['currency']}/BTC")
        last_s = number(cell_text(result.get("last")), "last")  # the candles after it are unfinished
        if math.isnan(last_s):
            raise CellError("last", expected="the time of the last finished candle", got=result.get("last"))
        yield from _candles(candles, name, "kraken", lambda time_s: time_s <= last_s)  # noqa: B023 (read at once)


def _coinbase(document: Any, selection: Selection) -> Iterator[Entry]:
    selection.takes()
    yield from _candles(document, "candles", "coinbase", lambda _: True)


def _candles(candles: Any, where: str, source: str, is_finished: Callable[[int], bool]) -> Iterator[Entry]:
    """Yield the entries of candles [start [s, unix], …], whose length is the least time between two of them."""
    if not isinstance(candles, list) or not candles:
        raise CellError(where, expected="a list of candles", got=candles)
    closes: dict[int, float] = {}
    for at, candle in enumerate(candles):
        place = f"{where}[{at}]"
        if not isinstance(candle, list) or len(candle) != _CANDLE_CELLS[source]:
            raise CellError(place, expected=f"{_CANDLE_CELLS[source]} values", got=candle)
        time = number(cell_text(candle[0]), f"{place}[0]")
        if not (_FIRST_S <= time < _LAST_S and time.is_integer()):
            raise CellError(f"{place}[0]", expected="whole seconds since 1970 in Bitcoin's time", got=candle[0])
        closes[int(time)] = number(cell_text(candle[4]), f"{place}[4]")
    times = sorted(closes)
    if len(times) < 2:
        raise CellError(where, expected="at least two candles, whose distance is their length", got=len(times))
    length_s = min(after - before for before, after in pairwise(times))
    for time_s in times:
        if is_finished(time_s):
            yield Entry(time_s, time_s + length_s, closes[time_s])


def _is_kraken(document: Any) -> bool:
    return (
        isinstance(document, dict)
        and document.keys() == {"error", "result"}
        and isinstance(document["result"], dict)
        and all(name == "last" or isinstance(candles, list) for name, candles in document["result"].items())
    )


def _is_coinbase(document: Any) -> bool:
    return isinstance(document, list) and bool(document) and isinstance(document[0], list) and len(document[0]) == 6


def _layout(name: str, title: str, unit: str = _DOLLARS, choices: tuple[str, ...] = (), **rest: Any) -> Layout:
    return Layout(
        name=name,
        title=title,
        quantity="btc_price",
        unit=unit,
        timezone="UTC",
        repeated_hour="no repeated hour: UTC",
        choices=choices,
        **rest,
    )


LAYOUTS = (
    _layout(
        "coingecko",
        "CoinGecko price history (the file does not say the coin and the currency)",
        label="start",
        headings=(
            Heading(
                (
                    Column("time", ("snapped_at",)),
                    Column("price", ("price",)),
                    Column("others", pattern=re.compile("market_cap|total_volume"), needed=False),
                )
            ),
        ),
        read=_coingecko,
    ),
    _layout(
        "coinmarketcap",
        "CoinMarketCap price history (the file does not say the coin)",
        label="start and end",
        headings=(
            Heading(
                (
                    Column("opens", ("timeOpen",)),
                    Column("closes", ("timeClose",)),
                    Column("close", ("close",)),
                    Column(
                        "others",
                        pattern=re.compile(
                            "timeHigh|timeLow|name|open|high|low|volume|marketCap|circulatingSupply|timestamp"
                        ),
                        needed=False,
                    ),
                ),
                separator=";",
            ),
        ),
        read=_history,
    ),
    _layout(
        "coinmarketcap-chart",
        "CoinMarketCap chart (the file does not say the coin and the currency)",
        label="start",
        headings=(
            Heading(
                (
                    Column("time", ("timestamp",)),
                    Column("price", ("price",)),
                    Column("others", pattern=re.compile("volume|marketCap|market_cap"), needed=False),
                ),
                separator=";",
            ),
        ),
        read=_chart,
    ),
    _layout(
        "kraken",
        "Kraken candles (JSON)",
        unit="",
        choices=("pair",),
        label="start",
        document=Document("json", _is_kraken, _kraken),
    ),
    _layout(
        "coinbase",
        "Coinbase candles (JSON; it does not say the coin and the currency)",
        label="start",
        document=Document("json", _is_coinbase, _coinbase),
    ),
)
