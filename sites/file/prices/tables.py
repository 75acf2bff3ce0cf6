"""The tables of a site file that describe the cost of power: [price] and its sub-tables."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Literal

from pydantic import Field

from hardware_profiles.tables import Broken, Table, rule
from sites.file.horizon.tables import ends_after_start
from sites.file.values import (
    Calls,
    Day,
    EndHour,
    Hour,
    Hours,
    Megawatts,
    MonthNumber,
    Name,
    PeakMinutes,
    PerUsd,
    Price,
    PriceOrNone,
    SeriesTable,
    Value,
    Weekday,
    When,
    assumed,
)


class PeriodTable(Table):
    """[[price.time_of_use.period]]: local hours with a different price."""

    usd_per_mwh: Price
    months: tuple[MonthNumber, ...] = tuple(range(1, 13))
    weekdays: tuple[Weekday, ...] = tuple(range(7))
    from_hour: Hour = 0
    to_hour: EndHour = 24


class TimeOfUseTable(Table):
    """[price.time_of_use]: a base price and periods; if periods overlap, the last one applies."""

    base_usd_per_mwh: Price
    period: tuple[PeriodTable, ...] = ()


class CoincidentTable(Table):
    """[price.coincident]: a yearly charge on the power drawn in the listed hours (local unless they have an offset)."""

    usd_per_kw_year: PriceOrNone
    peak_minutes: PeakMinutes = Value(value=15.0, source="settlement interval of ERCOT's 4CP")
    called_days_without_peak: Calls = assumed(0.0)  # days on which the site curtails in vain
    called_hours_per_day: Hours = assumed(1.0)
    hours: Annotated[tuple[When, ...], Field(min_length=1)]


class ContractTable(Table):
    """[price.contract]: take-or-pay power, resold at the market price less a discount when that is worth more."""

    mw: Megawatts
    usd_per_mwh: Price
    resale_discount_usd_per_mwh: Price
    start: Day | None = None  # first day of the contract
    end: Day | None = None  # last day of the contract

    @rule
    def _ends_after_its_start(self) -> Iterator[Broken]:
        yield from ends_after_start(self.start, self.end)


_DESCRIBED = ("time", "unit", "timezone", "label", "separator", "decimal", "time_format", "minutes", "repeated_hour")


class PriceSeriesTable(SeriesTable):
    """[price.hourly]: `column` of a series, `feed` of a market file as downloaded, or `value` of a described table."""

    one_of = (("column", "feed", "value"),)

    column: Name | None = None
    feed: Name | None = None  # name of a layout, as `perwatt feed list` shows it
    point: Name | None = None  # of a market file of several points
    where: Annotated[dict[Name, str], Field(default_factory=dict)]  # other choices, or what rows of a table must have
    fill: Literal["previous"] | None = None  # what stands in for intervals that the file does not have
    value: Name | None = None
    time: Name | None = None
    unit: Annotated[str, Field(pattern="^[A-Z]{3}/(MWh|kWh)$")] | None = None
    timezone: Name | None = None
    label: Literal["start", "end"] | None = None  # what `time` names; the start unless it is stated
    separator: Literal[",", ";", "\t", "|"] | None = None  # a comma unless it is stated
    decimal: Literal[".", ","] | None = None  # a point unless it is stated
    time_format: Name | None = None
    minutes: Annotated[int, Field(ge=1, le=1440)] | None = None
    repeated_hour: Literal["order"] | None = None

    in_schema = (
        {"dependentRequired": {"value": ["time", "unit"], "point": ["feed"]}},
        *({"dependentRequired": {key: ["value"]}} for key in _DESCRIBED),
    )

    @property
    def described(self) -> str:
        """The file and what is read of it, as the list of assumptions shows them."""
        if self.column is not None:
            return f"{self.file}, column {self.column}"
        chosen = "".join(f", {key} {name}" for key, name in self.choices.items())
        return f"{self.file}, {f'feed {self.feed}' if self.feed else f'column {self.value}'}{chosen}"

    @property
    def choices(self) -> dict[str, str]:
        """What is chosen of a file that holds several series."""
        return ({"point": self.point} if self.point is not None else {}) | self.where

    @rule
    def _whole(self) -> Iterator[Broken]:
        present = {key for key in _DESCRIBED if getattr(self, key) is not None}
        if self.value is not None:
            for key in ("time", "unit"):
                if key not in present:
                    yield Broken("expected a value (the key is required with `value`), got nothing", (key,))
        else:
            for key in _DESCRIBED:
                if key in present:
                    yield Broken("expected this key only with `value`, the column of prices", (key,))

    @rule
    def _chosen(self) -> Iterator[Broken]:
        if self.point is not None and self.feed is None:
            yield Broken("expected this key only with `feed`", ("point",))
        if self.column is not None and (self.where or self.fill):
            yield Broken("expected where and fill only with `feed` or `value`, got one with `column`")


class PriceTable(Table):
    """[price]: the cost of a MWh at the meter in `currency`, with the exchange rate unless that is USD."""

    one_of = (("energy_usd_per_mwh", "time_of_use", "hourly"),)

    currency: Annotated[str, Field(pattern="^[A-Z]{3}$")] = "USD"
    currency_per_usd: PerUsd | None = None
    energy_usd_per_mwh: Price | None = None
    time_of_use: TimeOfUseTable | None = None
    hourly: PriceSeriesTable | None = None
    delivery_usd_per_mwh: Price = assumed(0.0)
    demand_charge_usd_per_kw_month: PriceOrNone = assumed(0.0)
    coincident: CoincidentTable | None = None
    contract: ContractTable | None = None

    in_schema = (
        {
            "if": {"properties": {"currency": {"const": "USD"}}},
            "then": {"not": {"required": ["currency_per_usd"]}},
            "else": {"required": ["currency_per_usd"]},
        },
    )

    @rule
    def _exchanged(self) -> Iterator[Broken]:
        if (self.currency != "USD") != (self.currency_per_usd is not None):
            yield Broken(f"expected currency_per_usd if and only if the currency is not USD, got {self.currency}")
