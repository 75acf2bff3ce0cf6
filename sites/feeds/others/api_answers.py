"""JSON answers of APIs whose exports have another form: Energy-Charts' prices and CoinGecko's market chart."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sites.feeds.cells import cell_text, number
from sites.feeds.lengths import Moment, from_starts
from sites.feeds.model import CellError, Document, Layout
from sites.feeds.others.bitcoin import quotes_until_next

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sites.feeds.model import Entry
    from sites.feeds.selection import Selection

_PRICE_KEYS = {"unix_seconds", "price", "unit"}


def _is_energy_charts(document: Any) -> bool:
    return isinstance(document, dict) and document.keys() >= _PRICE_KEYS


def _energy_charts(document: Any, selection: Selection) -> Iterator[Entry]:
    selection.takes()
    times, prices = document["unix_seconds"], document["price"]
    if not isinstance(times, list) or not isinstance(prices, list) or len(times) != len(prices) or not times:
        raise CellError("price", expected="one price for each of unix_seconds", got=prices)
    selection.states_unit("".join(cell_text(document["unit"]).split()))
    moments = (
        Moment(_whole(time, f"unix_seconds[{at}]"), number(cell_text(price), f"price[{at}]"))
        for at, (time, price) in enumerate(zip(times, prices, strict=True))
    )
    yield from from_starts(moments, selection, "unix_seconds")


def _is_market_chart(document: Any) -> bool:
    return isinstance(document, dict) and {"prices", "market_caps"} <= document.keys()


def _market_chart(document: Any, selection: Selection) -> Iterator[Entry]:
    selection.takes()
    prices = document["prices"]
    if not isinstance(prices, list) or not all(isinstance(pair, list) and len(pair) == 2 for pair in prices):
        raise CellError("prices", expected="pairs of a time in milliseconds and a price", got=prices)
    quotes = (
        (_whole(pair[0], f"prices[{at}][0]") // 1000, number(cell_text(pair[1]), f"prices[{at}][1]"))
        for at, pair in enumerate(prices)
    )
    yield from quotes_until_next(quotes, "prices")


def _whole(value: Any, place: str) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or abs(value) >= 2**53:
        raise CellError(place, expected="a whole number below 2^53", got=value)
    return value


LAYOUTS = (
    Layout(
        name="energy-charts-api",
        title="Energy-Charts day-ahead prices (JSON of its API; it does not say the bidding zone)",
        quantity="price",
        unit="EUR/MWh",
        timezone="UTC",
        market_timezone="Europe/Brussels",
        label="start",
        repeated_hour="no repeated hour: UTC",
        document=Document("json", _is_energy_charts, _energy_charts),
    ),
    Layout(
        name="coingecko-api",
        title="CoinGecko market chart (JSON of its API; it does not say the coin and the currency)",
        quantity="btc_price",
        unit="USD/BTC",
        timezone="UTC",
        label="start",
        repeated_hour="no repeated hour: UTC",
        document=Document("json", _is_market_chart, _market_chart),
    ),
)
