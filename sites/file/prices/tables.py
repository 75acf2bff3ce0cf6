"""The tables of a site file that describe the cost of power: [price] and its sub-tables."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated

from pydantic import Field

from hardware_profiles.tables import Broken, Table, rule
from sites.file.values import (
    Calls,
    EndHour,
    Hour,
    HourlyTable,
    Hours,
    Megawatts,
    MonthNumber,
    PeakMinutes,
    PerUsd,
    Price,
    PriceOrNone,
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


class PriceTable(Table):
    """[price]: the cost of a MWh at the meter in `currency`, with the exchange rate unless that is USD."""

    one_of = (("energy_usd_per_mwh", "time_of_use", "hourly"),)

    currency: Annotated[str, Field(pattern="^[A-Z]{3}$")] = "USD"
    currency_per_usd: PerUsd | None = None
    energy_usd_per_mwh: Price | None = None
    time_of_use: TimeOfUseTable | None = None
    hourly: HourlyTable | None = None
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
