"""The tables and keys of a site file (TOML); per cent are used only here and in print, shares everywhere else."""

from __future__ import annotations

from typing import Annotated, Self

from pydantic import Field, model_validator

from sites.file.block_tables import InferenceTable, MiningTable  # noqa: TC001 (pydantic reads them)
from sites.file.ranges import CELSIUS, FEES, Range
from sites.file.values import (
    BtcUsd,
    Carbon,
    Celsius,
    Day,
    Difficulty,
    EndHour,
    Fees,
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
    PeakMinutes,
    Percent,
    PerUsd,
    Price,
    PriceOrNone,
    Pue,
    PuePerC,
    SourceDate,
    Swing,
    Value,
    Values,
    When,
    assumed,
    one_of,
)

FileName = Annotated[str, Field(min_length=1, max_length=4096)]  # the longest path on Linux


def _by_month(model: object, key: str, within: Range) -> None:
    numbers: Numbers | None = getattr(model, key)
    if numbers is None:
        return
    if len(numbers.values) != 12:
        raise ValueError(f"expected 12 numbers in {key}, got {len(numbers.values)}")
    for value in numbers.values:
        if value not in within:
            raise ValueError(f"expected numbers of {within} in {key}, got {value:g}")


class HourlyTable(Model):
    """A column of an hourly file (CSV or Parquet), its path relative to the site file."""

    file: FileName
    column: Name
    source: str = "assumption"
    date: SourceDate = "unknown"


class SiteTable(Model):
    """[site]: the name and location of the site, and the first local day of the year that is computed."""

    name: Name
    region: str = "unknown"
    timezone: str = "UTC"
    start: Day
    note: str = ""


class OutageTable(Model):
    """[[power.outage]]: a planned outage; a start without an offset is local time."""

    start: When
    hours: Hours
    available_percent: Percent = assumed(0.0)


class PowerTable(Model):
    """[power]: the interconnect, losses between meter and facility, availability and outages."""

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
    """[climate]: ambient temperature (hourly, or by month with a daily swing), and how it reduces capacity."""

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
    """[cooling]: PUE of each product, and its increase with temperature above a reference."""

    mining_pue: Pue = assumed(1.0)
    gpu_pue: Pue = assumed(1.0)
    mining_pue_per_c: PuePerC = assumed(0.0)
    gpu_pue_per_c: PuePerC = assumed(0.0)
    reference_c: Celsius = assumed(20.0)
    mining_pue_hourly: HourlyTable | None = None
    gpu_pue_hourly: HourlyTable | None = None


class PeriodTable(Model):
    """[[price.time_of_use.period]]: local hours with a different price."""

    usd_per_mwh: Price
    months: tuple[Annotated[int, Field(ge=1, le=12)], ...] = tuple(range(1, 13))  # 1 is January
    weekdays: tuple[Annotated[int, Field(ge=0, le=6)], ...] = tuple(range(7))  # 0 is Monday
    from_hour: Hour = 0
    to_hour: EndHour = 24


class TimeOfUseTable(Model):
    """[price.time_of_use]: a base price and periods; if periods overlap, the last one applies."""

    base_usd_per_mwh: Price
    period: tuple[PeriodTable, ...] = ()


class CoincidentTable(Model):
    """[price.coincident]: a yearly charge on the power drawn in the listed hours (local unless they have an offset)."""

    usd_per_kw_year: PriceOrNone
    peak_minutes: PeakMinutes = Value(value=15.0, source="settlement interval of ERCOT's 4CP")
    hours: Annotated[tuple[When, ...], Field(min_length=1)]


class ContractTable(Model):
    """[price.contract]: take-or-pay power, resold at the market price less a discount when that is worth more."""

    mw: Megawatts
    usd_per_mwh: Price
    resale_discount_usd_per_mwh: Price


class PriceTable(Model):
    """[price]: the cost of a MWh at the meter in `currency`, with the exchange rate unless that is USD."""

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
            raise ValueError(f"expected currency_per_usd if and only if the currency is not USD, got {self.currency}")
        return self


class EventTable(Model):
    """[[curtailment.event]]: hours in which the drawn power must stay below a limit."""

    start: When
    hours: Hours
    limit_mw: MegawattsOrNone


class CurtailmentTable(Model):
    """[curtailment]: a programme that pays for readiness and for energy not drawn in its events."""

    enrolled_mw: MegawattsOrNone = assumed(0.0)
    ready_usd_per_mw_hour: PriceOrNone = assumed(0.0)
    credit_usd_per_mwh: PriceOrNone = assumed(0.0)
    event: tuple[EventTable, ...] = ()


class DifficultyTable(Model):
    """[[market.difficulty]]: the difficulty from a time on (UTC unless it has an offset)."""

    start: When
    difficulty: Difficulty


class MarketTable(Model):
    """[market]: bitcoin price, fees as a share of the subsidy (constant or by month), and difficulty."""

    btc_usd: BtcUsd
    fees_percent_of_subsidy: Fees | None = None
    fees_percent_by_month: Values | None = None
    difficulty_growth_percent_per_year: Growth = assumed(0.0)
    difficulty: tuple[DifficultyTable, ...] = ()
    difficulty_file: FileName | None = None  # CSV with the columns start and difficulty

    @model_validator(mode="after")
    def _fees_once(self) -> Self:
        one_of(self, ("fees_percent_of_subsidy", "fees_percent_by_month"))
        _by_month(self, "fees_percent_by_month", FEES)
        if self.difficulty and self.difficulty_file is not None:
            raise ValueError("expected [[market.difficulty]] or difficulty_file, got both")
        return self


class CarbonTable(Model):
    """[carbon]: kgCO2 of a metered MWh, or a CSV table of it (region, kg_per_mwh, source, date)."""

    kg_per_mwh: Carbon | None = None
    table: FileName | None = None

    @model_validator(mode="after")
    def _one_source(self) -> Self:
        one_of(self, ("kg_per_mwh", "table"))
        return self


class CostTable(Model):
    """[cost]: the fixed yearly cost of the site."""

    fixed_usd_per_year: Money = assumed(0.0)


class SiteFile(Model):
    """A site file."""

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
                raise ValueError(f"expected each block name once, got {name!r} twice")
        for product, tables in (("mining", self.mining), ("gpu", self.inference)):
            if tables and not {f"{product}_pue", f"{product}_pue_hourly"} & self.cooling.model_fields_set:
                raise ValueError(f"expected cooling.{product}_pue for a site with {product} blocks, got none")
        interconnect_mw = self.power.interconnect_mw.value
        programme = self.curtailment
        for key, power in (
            ("price.contract.mw", self.price.contract.mw if self.price.contract else None),
            ("curtailment.enrolled_mw", programme.enrolled_mw if programme else None),
        ):
            if power is not None and power.value > interconnect_mw:
                limit = f"power.interconnect_mw ({interconnect_mw:g})"
                raise ValueError(f"key {key}: expected at most {limit}, got {power.value:g}")
        return self
