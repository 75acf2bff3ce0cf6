"""The tables and keys of a site file (TOML); per cent are used only here and in print, shares everywhere else."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Literal

from pydantic import AfterValidator

from hardware_profiles.errors import InputError
from hardware_profiles.tables import Broken, Table, rule
from sites.file.block_tables import CapitalTable, InferenceTable, MiningTable  # noqa: TC001 (pydantic reads them)
from sites.file.contracts.tables import MoneyTables, powers_mw
from sites.file.horizon.tables import HorizonTable, ends_after_start
from sites.file.hourly.market_tables import (  # noqa: TC001 (pydantic reads them)
    BtcUsdOrSeries,
    FeesBtcOrSeries,
    FeesOrSeries,
)
from sites.file.prices.tables import PriceTable  # noqa: TC001 (pydantic reads it)
from sites.file.ranges import CELSIUS, FEES
from sites.file.storage.tables import BatteryTable  # noqa: TC001 (pydantic reads it)
from sites.file.values import (
    Carbon,
    Celsius,
    Day,
    Difficulty,
    FileName,
    Growth,
    HourlyTable,
    Hours,
    LossPercent,
    Megawatts,
    MegawattsOrNone,
    Money,
    Name,
    Numbers,
    Percent,
    PriceOrNone,
    Pue,
    PuePerC,
    SeriesTable,
    SomePercent,
    Swing,
    Value,
    When,
    assumed,
    by_month,
)
from sites.hours.calendar import zone


def _timezone(name: str) -> str:
    try:
        zone(name)
    except InputError as error:
        raise ValueError(str(error).removeprefix("key timezone: ").removeprefix("timezone: ")) from None
    return name


Timezone = Annotated[str, AfterValidator(_timezone)]
CelsiusByMonth = Annotated[Numbers, *by_month(CELSIUS)]
FeesByMonth = Annotated[Numbers, *by_month(FEES)]


class SiteTable(Table):
    """[site]: the name and location of the site, and the first local day of the year that is computed."""

    name: Name
    region: str = "unknown"
    timezone: Timezone = "UTC"
    start: Day
    note: str = ""


class OutageTable(Table):
    """[[power.outage]]: a planned outage; a start without an offset is local time."""

    start: When
    hours: Hours
    available_percent: Percent = assumed(0.0)


class PowerTable(Table):
    """[power]: the interconnect, losses between meter and facility, availability and outages."""

    interconnect_mw: Megawatts
    losses_percent: LossPercent = assumed(0.0)
    availability_percent: SomePercent = assumed(100.0)
    outage: tuple[OutageTable, ...] = ()


class ClimateTable(Table):
    """[climate]: ambient temperature (hourly, or by month with a daily swing), and how it reduces capacity."""

    one_of = (("mean_c_by_month", "hourly"),)

    mean_c_by_month: CelsiusByMonth | None = None
    daily_swing_c: Swing = assumed(0.0)
    hourly: HourlyTable | None = None
    mining_derate_above_c: Celsius | None = None
    mining_stop_above_c: Celsius | None = None
    gpu_derate_above_c: Celsius | None = None
    gpu_stop_above_c: Celsius | None = None

    in_schema = tuple(
        {"dependentRequired": {f"{product}_{one}_above_c": [f"{product}_{other}_above_c"]}}
        for product in ("mining", "gpu")
        for one, other in (("derate", "stop"), ("stop", "derate"))
    )

    @rule
    def _miners_stop_above_derating(self) -> Iterator[Broken]:
        yield from _stops_above("mining", self.mining_derate_above_c, self.mining_stop_above_c)

    @rule
    def _gpus_stop_above_derating(self) -> Iterator[Broken]:
        yield from _stops_above("gpu", self.gpu_derate_above_c, self.gpu_stop_above_c)


def _stops_above(product: str, derate: Value | None, stop: Value | None) -> Iterator[Broken]:
    if (derate is None) != (stop is None):
        yield Broken(f"expected both {product}_derate_above_c and {product}_stop_above_c, got one")
    elif derate is not None and stop is not None and stop.value <= derate.value:
        yield Broken(f"expected {product}_stop_above_c above {product}_derate_above_c, got {stop.value:g}")


class CoolingTable(Table):
    """[cooling]: PUE of each product, and its increase with temperature above a reference."""

    mining_pue: Pue = assumed(1.0)
    gpu_pue: Pue = assumed(1.0)
    mining_pue_per_c: PuePerC = assumed(0.0)
    gpu_pue_per_c: PuePerC = assumed(0.0)
    reference_c: Celsius = assumed(20.0)
    mining_pue_hourly: HourlyTable | None = None
    gpu_pue_hourly: HourlyTable | None = None


class EventTable(Table):
    """[[curtailment.event]]: hours in which the drawn power must stay below a limit."""

    start: When
    hours: Hours
    limit_mw: MegawattsOrNone


class CurtailmentTable(Table):
    """[curtailment]: a programme that pays for readiness and for energy not drawn in its events."""

    enrolled_mw: MegawattsOrNone = assumed(0.0)
    ready_usd_per_mw_hour: PriceOrNone = assumed(0.0)
    credit_usd_per_mwh: PriceOrNone = assumed(0.0)
    event: tuple[EventTable, ...] = ()
    start: Day | None = None  # first day of the enrolment
    end: Day | None = None  # last day of the enrolment

    @rule
    def _ends_after_its_start(self) -> Iterator[Broken]:
        yield from ends_after_start(self.start, self.end)


class DifficultyTable(Table):
    """[[market.difficulty]]: the difficulty from a time on (UTC unless it has an offset)."""

    start: When
    difficulty: Difficulty


class MarketTable(Table):
    """[market]: bitcoin price and fees (each a number or a series; fees also by month), and difficulty."""

    one_of = (("fees_percent_of_subsidy", "fees_percent_by_month", "fees_btc_per_block"),)

    btc_usd: BtcUsdOrSeries
    fees_percent_of_subsidy: FeesOrSeries | None = None
    fees_percent_by_month: FeesByMonth | None = None
    fees_btc_per_block: FeesBtcOrSeries | None = None  # does not halve with the subsidy
    difficulty_growth_percent_per_year: Growth = assumed(0.0)
    difficulty: tuple[DifficultyTable, ...] = ()
    difficulty_file: FileName | None = None  # CSV with the columns start and difficulty

    in_schema = ({"not": {"required": ["difficulty_file"], "properties": {"difficulty": {"minItems": 1}}}},)

    @rule
    def _one_path(self) -> Iterator[Broken]:
        if self.difficulty and self.difficulty_file is not None:
            yield Broken("expected [[market.difficulty]] or difficulty_file, got both")


class CarbonFeedTable(SeriesTable):
    """[carbon.mean]: a market file of carbon intensities as downloaded, with the facts that its figures must have."""

    feed: Name  # name of a layout, as `perwatt feed list` shows it
    basis: Literal["average", "marginal"]
    scope: Literal["direct", "life-cycle"]
    unit: Literal["gCO2eq/kWh", "lbCO2/MWh"]  # of the file; the site's figure is in kg/MWh
    zone: Name | None = None  # of a file of several zones

    @property
    def described(self) -> str:
        """The file and what is read of it, as the list of assumptions shows them."""
        return f"{self.file}, feed {self.feed}, {self.basis}, {self.scope}"


class CarbonTable(Table):
    """[carbon]: kgCO2 of a metered MWh, a CSV table of it (region, kg_per_mwh, source, date), or a feed's mean."""

    one_of = (("kg_per_mwh", "table", "mean"),)

    kg_per_mwh: Carbon | None = None
    table: FileName | None = None
    mean: CarbonFeedTable | None = None


class CostTable(Table):
    """[cost]: the fixed yearly cost of the site."""

    fixed_usd_per_year: Money = assumed(0.0)


class SiteFile(MoneyTables):
    """A site file."""

    site: SiteTable
    power: PowerTable
    climate: ClimateTable | None = None
    cooling: CoolingTable = CoolingTable()
    price: PriceTable
    curtailment: CurtailmentTable | None = None
    market: MarketTable
    mining: tuple[MiningTable, ...] = ()
    inference: tuple[InferenceTable, ...] = ()
    carbon: CarbonTable | None = None
    cost: CostTable = CostTable()
    capital: CapitalTable | None = None
    horizon: HorizonTable | None = None
    battery: BatteryTable | None = None

    in_schema = (
        {"anyOf": [{"required": [key], "properties": {key: {"minItems": 1}}} for key in ("mining", "inference")]},
        *(
            {
                "if": {"required": [key], "properties": {key: {"minItems": 1}}},
                "then": {
                    "required": ["cooling"],
                    "properties": {"cooling": {"anyOf": [{"required": [f"{pue}{tail}"]} for tail in ("", "_hourly")]}},
                },
            }
            for key, pue in (("mining", "mining_pue"), ("inference", "gpu_pue"))
        ),
    )

    @rule
    def _something_to_run(self) -> Iterator[Broken]:
        if not self.mining and not self.inference:
            yield Broken("expected at least one [[mining]] or [[inference]] block, got none")

    @rule
    def _each_name_once(self) -> Iterator[Broken]:
        names = [block.name for block in self.mining] + [block.name for block in self.inference]
        for name in dict.fromkeys(names):
            if names.count(name) > 1:
                yield Broken(f"expected each block name once, got {name!r} twice")

    @rule
    def _contracts_within_a_horizon(self) -> Iterator[Broken]:
        for key in ("contract", "capex", "debt", "tax"):
            if getattr(self, key) and self.horizon is None:
                yield Broken("expected [horizon] with it, whose months it is settled in, got none", (key,))

    @rule
    def _miners_cooled(self) -> Iterator[Broken]:
        yield from _cooled("mining", self.mining, self.cooling)

    @rule
    def _gpus_cooled(self) -> Iterator[Broken]:
        yield from _cooled("gpu", self.inference, self.cooling)

    @rule
    def _powers_within_interconnect(self) -> Iterator[Broken]:
        powers = list(powers_mw(self.contract))
        if self.price.contract is not None:
            powers.append((("price", "contract", "mw"), self.price.contract.mw.value))
        if self.curtailment is not None:
            powers.append((("curtailment", "enrolled_mw"), self.curtailment.enrolled_mw.value))
        limit = self.power.interconnect_mw.value
        for keys, mw in powers:
            if mw > limit:
                yield Broken(f"expected at most power.interconnect_mw ({limit:g}), got {mw:g}", keys)


def _cooled(product: str, blocks: tuple[Table, ...], cooling: CoolingTable) -> Iterator[Broken]:
    if blocks and not {f"{product}_pue", f"{product}_pue_hourly"} & cooling.model_fields_set:
        yield Broken(f"expected cooling.{product}_pue for a site with {product} blocks, got none")
