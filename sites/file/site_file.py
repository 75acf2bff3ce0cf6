"""The tables and keys of a site file (TOML), each value with its bounds; per cent live only here and in print."""

from __future__ import annotations

from typing import Annotated, Self

from pydantic import Field, model_validator

from sites.file.block_tables import InferenceTable, MiningTable  # noqa: TC001 (pydantic reads them)
from sites.file.values import (
    CELSIUS,
    FEES,
    BtcUsd,
    Carbon,
    Celsius,
    Day,
    Difficulty,
    Fees,
    Fraction24,
    Growth,
    Hour,
    Hours,
    LossPercent,
    Megawatts,
    MegawattsOrNone,
    Model,
    Money,
    Name,
    Numbers,
    Percent,
    PerUsd,
    Price,
    PriceOrNone,
    Pue,
    PuePerC,
    Range,
    SourceDate,
    Swing,
    Values,
    When,
    assumed,
    one_of,
)

FileName = Annotated[str, Field(min_length=1, max_length=4096)]  # what Linux allows a path


def _by_month(model: object, key: str, within: Range) -> None:
    given: Numbers | None = getattr(model, key)
    if given is None:
        return
    if len(given.values) != 12:
        raise ValueError(f"expected 12 numbers in {key}, got {len(given.values)}")
    for value in given.values:
        if value not in within:
            raise ValueError(f"expected numbers of {within} in {key}, got {value:g}")


class HourlyTable(Model):
    """A column of an hourly file (CSV or Parquet), its path relative to the site file."""

    file: FileName
    column: Name
    source: str = "assumption"
    date: SourceDate = "unknown"


class SiteTable(Model):
    """[site]: what it is called, where it is and the first local day of the year that is computed."""

    name: Name
    region: str = "unknown"
    timezone: str = "UTC"
    start: Day
    note: str = ""


class OutageTable(Model):
    """[[power.outage]]: a planned outage; a start without an offset is UTC."""

    start: When
    hours: Hours
    available_percent: Percent = assumed(0.0)


class PowerTable(Model):
    """[power]: what arrives. Losses are those between the meter and the buildings."""

    interconnect_mw: Megawatts
    losses_percent: LossPercent = assumed(0.0)
    availability_percent: Percent = assumed(100.0)
    outage: tuple[OutageTable, ...] = ()

    @model_validator(mode="after")
    def _available_at_all(self) -> Self:
        if self.availability_percent.value < 0.01:
            raise ValueError(f"expected availability_percent of 0.01 to 100, got {self.availability_percent.value:g}")
        return self


class ClimateTable(Model):
    """[climate]: ambient temperature, by month with a daily swing or hourly, and what it does to capacity."""

    mean_c_by_month: Values | None = None
    daily_swing_c: Swing = assumed(0.0)
    hourly: HourlyTable | None = None
    mining_derate_above_c: Celsius | None = None
    mining_stop_above_c: Celsius | None = None
    gpu_derate_above_c: Celsius | None = None
    gpu_stop_above_c: Celsius | None = None

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        one_of(self, ("mean_c_by_month", "hourly"))
        _by_month(self, "mean_c_by_month", CELSIUS)
        for product in ("mining", "gpu"):
            above, stop = (getattr(self, f"{product}_{end}_above_c") for end in ("derate", "stop"))
            if (above is None) != (stop is None):
                raise ValueError(f"expected both {product}_derate_above_c and {product}_stop_above_c, got one")
            if above is not None and stop.value <= above.value:
                raise ValueError(f"expected {product}_stop_above_c above {product}_derate_above_c, got {stop.value:g}")
        return self


class CoolingTable(Model):
    """[cooling]: PUE of each product, and how it grows with temperature above a reference."""

    mining_pue: Pue = assumed(1.0)
    gpu_pue: Pue = assumed(1.0)
    mining_pue_per_c: PuePerC = assumed(0.0)
    gpu_pue_per_c: PuePerC = assumed(0.0)
    reference_c: Celsius = assumed(20.0)
    mining_pue_hourly: HourlyTable | None = None
    gpu_pue_hourly: HourlyTable | None = None


class PeriodTable(Model):
    """[[price.time_of_use.period]]: hours with a price of their own; local months 1-12, weekdays 0 (Monday) to 6."""

    usd_per_mwh: Price
    months: tuple[Annotated[int, Field(ge=1, le=12)], ...] = tuple(range(1, 13))
    weekdays: tuple[Annotated[int, Field(ge=0, le=6)], ...] = tuple(range(7))
    from_hour: Hour = 0
    to_hour: Fraction24 = 24


class TimeOfUseTable(Model):
    """[price.time_of_use]: a base price and periods; the last period an hour falls into counts."""

    base_usd_per_mwh: Price
    period: tuple[PeriodTable, ...] = ()


class CoincidentTable(Model):
    """[price.coincident]: a yearly charge on the draw in named hours (UTC unless they carry an offset)."""

    usd_per_kw_year: PriceOrNone
    hours: Annotated[tuple[When, ...], Field(min_length=1)]


class ContractTable(Model):
    """[price.contract]: take-or-pay power, resold at the market price less a discount where that pays more."""

    mw: Megawatts
    usd_per_mwh: Price
    resale_discount_usd_per_mwh: Price


class PriceTable(Model):
    """[price]: what a MWh at the meter costs, in `currency`, which must come with its rate unless it is USD."""

    currency: Annotated[str, Field(pattern="^[A-Z]{3}$")] = "USD"
    currency_per_usd: PerUsd | None = None
    energy_usd_per_mwh: Price | None = None
    time_of_use: TimeOfUseTable | None = None
    hourly: HourlyTable | None = None
    delivery_usd_per_mwh: Price = assumed(0.0)
    demand_charge_usd_per_kw_month: PriceOrNone = assumed(0.0)
    coincident: CoincidentTable | None = None
    contract: ContractTable | None = None

    @model_validator(mode="after")
    def _one_price(self) -> Self:
        one_of(self, ("energy_usd_per_mwh", "time_of_use", "hourly"))
        if (self.currency != "USD") != (self.currency_per_usd is not None):
            raise ValueError(f"expected currency_per_usd exactly when the currency is not USD, got {self.currency}")
        return self


class EventTable(Model):
    """[[curtailment.event]]: hours in which the draw must stay below a limit."""

    start: When
    hours: Hours
    limit_mw: MegawattsOrNone


class CurtailmentTable(Model):
    """[curtailment]: a programme that pays for standing ready and for what is not drawn in its events."""

    enrolled_mw: MegawattsOrNone = assumed(0.0)
    ready_usd_per_mw_hour: PriceOrNone = assumed(0.0)
    credit_usd_per_mwh: PriceOrNone = assumed(0.0)
    event: tuple[EventTable, ...] = ()


class DifficultyTable(Model):
    """[[market.difficulty]]: difficulty from a day on, for the time after the bundled data."""

    start: When
    difficulty: Difficulty


class MarketTable(Model):
    """[market]: bitcoin price, fees as a share of the subsidy (one, or twelve by month), difficulty after the data."""

    btc_usd: BtcUsd
    fees_percent_of_subsidy: Fees | None = None
    fees_percent_by_month: Values | None = None
    difficulty_growth_percent_per_year: Growth = assumed(0.0)
    difficulty: tuple[DifficultyTable, ...] = ()

    @model_validator(mode="after")
    def _fees_once(self) -> Self:
        one_of(self, ("fees_percent_of_subsidy", "fees_percent_by_month"))
        _by_month(self, "fees_percent_by_month", FEES)
        return self


class CarbonTable(Model):
    """[carbon]: kgCO2 of a metered MWh, given, or looked up in a table (region, kg_per_mwh, source, date)."""

    kg_per_mwh: Carbon | None = None
    table: FileName | None = None

    @model_validator(mode="after")
    def _one_source(self) -> Self:
        one_of(self, ("kg_per_mwh", "table"))
        return self


class CostTable(Model):
    """[cost]: what the site costs a year whatever it does."""

    fixed_usd_per_year: Money = assumed(0.0)


class SiteFile(Model):
    """A whole site file."""

    site: SiteTable
    power: PowerTable
    climate: ClimateTable | None = None
    cooling: CoolingTable
    price: PriceTable
    curtailment: CurtailmentTable | None = None
    market: MarketTable
    mining: tuple[MiningTable, ...] = ()
    inference: tuple[InferenceTable, ...] = ()
    carbon: CarbonTable | None = None
    cost: CostTable = CostTable()

    @model_validator(mode="after")
    def _something_to_run(self) -> Self:
        blocks = [block.name for block in self.mining] + [block.name for block in self.inference]
        if not blocks:
            raise ValueError("expected at least one [[mining]] or [[inference]] block, got none")
        for name in blocks:
            if blocks.count(name) > 1:
                raise ValueError(f"expected every block's name once, got {name!r} twice")
        for product, tables in (("mining", self.mining), ("gpu", self.inference)):
            if tables and not {f"{product}_pue", f"{product}_pue_hourly"} & self.cooling.model_fields_set:
                raise ValueError(f"expected cooling.{product}_pue for a site with {product} blocks, got none")
        most = self.power.interconnect_mw.value
        programme = self.curtailment
        for key, given in (
            ("price.contract.mw", self.price.contract.mw if self.price.contract else None),
            ("curtailment.enrolled_mw", programme.enrolled_mw if programme else None),
        ):
            if given is not None and given.value > most:
                raise ValueError(f"key {key}: expected at most power.interconnect_mw ({most:g}), got {given.value:g}")
        return self
