"""Day-ahead prices of Nord Pool: the JSON answers for an area and a day, and those for several areas."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sites.feeds.cells import cell_text, number
from sites.feeds.europe.periods import CENTRAL_EUROPE
from sites.feeds.model import CellError, Document, Entry, Layout
from sites.feeds.wall_time import DAY_S, WallClock, iso_unix_s

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sites.feeds.selection import Selection


def _is_known(document: Any) -> bool:
    days = _days(document)
    return bool(days) and all(
        isinstance(day, dict) and ("multiAreaEntries" in day or {"prices", "deliveryArea"} <= day.keys())
        for day in days
    )


def _days(document: Any) -> list[Any]:
    return document if isinstance(document, list) else [document]


def _read(document: Any, selection: Selection) -> Iterator[Entry]:
    clock = WallClock(CENTRAL_EUROPE)
    for day in _days(document):
        currency = day.get("currency")
        if not isinstance(currency, str):
            raise CellError("currency", expected="a currency", got=currency)
        version = _version(day)
        first_s: int | None = None
        for start_s, end_s, area, price in _prices(day):
            if first_s is None:
                first_s = start_s
                _check_start(first_s, clock)
            if selection.takes(area):
                selection.states_unit(f"{currency}/MWh")
                yield Entry(start_s, end_s, price, version)


def _version(day: dict[str, Any]) -> int:
    """Return the version of an answer: preliminary prices come before final ones, and each update has a number."""
    version = day.get("version", 0)
    if not isinstance(version, int):
        raise CellError("version", expected="a whole number", got=version)
    return 2 * version + (day.get("status") == "Final")


def _check_start(start_s: int, clock: WallClock) -> None:
    """Refuse a day that does not begin at midnight: the Z behind its times is then no proof of UTC."""
    before_s, after_s = (clock.unix_s((start_s + hours * 3600) // DAY_S, 0, "deliveryStart") for hours in (0, 12))
    if start_s not in {before_s, after_s}:
        raise CellError(
            "deliveryStart", expected="days that begin at midnight in Central European time", got=f"{start_s} s"
        )


def _prices(day: dict[str, Any]) -> Iterator[tuple[int, int, str, float]]:
    """Yield the start, the end [s, unix], the area and the price of each period of an answer."""
    key = "multiAreaEntries" if "multiAreaEntries" in day else "prices"
    periods = day[key]
    if not isinstance(periods, list):
        raise CellError(key, expected="a list", got=periods)
    for at, period in enumerate(periods):
        where = f"{key}[{at}]"
        if not isinstance(period, dict):
            raise CellError(where, expected="an object", got=period)
        start_s, end_s = (
            iso_unix_s(str(period.get(name)), f"{where}.{name}") for name in ("deliveryStart", "deliveryEnd")
        )
        if end_s <= start_s:
            raise CellError(f"{where}.deliveryEnd", expected="a time after the start", got=period["deliveryEnd"])
        areas = period.get("entryPerArea") if key == "multiAreaEntries" else {day["deliveryArea"]: period.get("price")}
        if not isinstance(areas, dict):
            raise CellError(f"{where}.entryPerArea", expected="an object", got=areas)
        for area, price in areas.items():
            yield start_s, end_s, str(area), number(cell_text(price), f"{where}.price")


LAYOUTS = (
    Layout(
        name="nordpool",
        title="Nord Pool day-ahead prices (JSON)",
        quantity="price",
        unit="",
        timezone="UTC",
        market_timezone=CENTRAL_EUROPE,
        label="start and end",
        repeated_hour="no repeated hour: UTC",
        choices=("area",),
        document=Document("json", _is_known, _read),
    ),
)
