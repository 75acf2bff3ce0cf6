"""The tables of a site file that describe years after the first: [horizon] and its conversions."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import BeforeValidator, Field

from hardware_profiles.tables import Broken, Table, rule
from sites.file.values import Day, Growth, Money, Name, Overhead, SeriesTable, SomePercent, WholeDays, assumed, whole

if TYPE_CHECKING:
    from datetime import date

MOST_YEARS = 50
MOST_PERCENT = 100.0 + 1e-9  # of a block, with what sums of decimals are off
HorizonYears = Annotated[int, Field(ge=1, le=MOST_YEARS), BeforeValidator(whole)]


class ForwardTable(SeriesTable):
    """A forward curve: a CSV file with the column `month` (YYYY-MM) and a column of prices, without a gap."""

    column: Name

    @property
    def described(self) -> str:
        """The file and its column, as the list of assumptions shows them."""
        return f"{self.file}, column {self.column}"


class ConversionTable(Table):
    """[[horizon.conversion]]: power of a block that another one takes over after a lead time."""

    block: Name  # the block that gives up power
    into: Name  # the block that begins when the conversion is ready
    start: Day  # first day of the lead time, on which capex_usd is paid
    percent: SomePercent = assumed(100.0)  # of the block's devices, as its table has them
    lead_days: WholeDays = assumed(0.0)  # from the start to the service of the new block
    offline_days: WholeDays = assumed(0.0)  # last days of the lead time, in which the converted power is off
    capex_usd: Money = assumed(0.0)
    resale_usd: Money = assumed(0.0)  # for the removed devices, when they go off

    @rule
    def _offline_within_the_lead_time(self) -> Iterator[Broken]:
        if self.offline_days.value > self.lead_days.value:
            got = f"{self.offline_days.value:g}"
            yield Broken(f"expected at most lead_days ({self.lead_days.value:g}), got {got}", ("offline_days",))

    @rule
    def _of_two_blocks(self) -> Iterator[Broken]:
        if self.block == self.into:
            yield Broken(f"expected another block than {self.block!r}, got the same", ("into",))


class HorizonTable(Table):
    """[horizon]: the number of years, how prices go on after the first, and conversions."""

    years: HorizonYears
    energy_price_growth_percent_per_year: Growth | None = None  # of the first year's prices of power
    energy_price_forward: ForwardTable | None = None  # in the currency of [price]
    btc_price_growth_percent_per_year: Growth | None = None
    btc_price_forward: ForwardTable | None = None  # USD/BTC
    inference_price_growth_percent_per_year: Growth = assumed(0.0)
    fixed_cost_growth_percent_per_year: Growth = assumed(0.0)
    discount_percent: Overhead | None = None  # a year; that of [capital] if it is absent
    conversion: tuple[ConversionTable, ...] = ()

    in_schema = tuple(
        {"not": {"required": [f"{price}_price_growth_percent_per_year", f"{price}_price_forward"]}}
        for price in ("energy", "btc")
    )

    @rule
    def _converted_once(self) -> Iterator[Broken]:
        percent: dict[str, float] = {}
        begun: set[str] = set()
        for index, each in enumerate(self.conversion):
            if each.into in begun:
                expected = f"expected a block that no other conversion begins, got {each.into!r}"
                yield Broken(expected, ("conversion", index, "into"))
            begun.add(each.into)
            percent[each.block] = percent.get(each.block, 0.0) + each.percent.value
            if percent[each.block] > MOST_PERCENT:
                expected = f"expected at most 100 per cent of {each.block!r} in all its conversions"
                yield Broken(f"{expected}, got {percent[each.block]:g}", ("conversion", index, "percent"))

    @rule
    def _one_way_of_power(self) -> Iterator[Broken]:
        yield from _one_way("energy_price", self.energy_price_growth_percent_per_year, self.energy_price_forward)

    @rule
    def _one_way_of_bitcoin(self) -> Iterator[Broken]:
        yield from _one_way("btc_price", self.btc_price_growth_percent_per_year, self.btc_price_forward)


def _one_way(price: str, growth: Any, forward: Any) -> Iterator[Broken]:
    if growth is not None and forward is not None:
        yield Broken(f"expected {price}_growth_percent_per_year or {price}_forward, got both")


def sold_at_an_end(resale_usd: float, end: date | None) -> Iterator[Broken]:
    """Yield a fault if a block is sold that has no last day."""
    if resale_usd > 0.0 and end is None:
        yield Broken("expected end together with it, the day on which it is income, got none", ("resale_usd",))


def ends_after_start(start: date | None, end: date | None) -> Iterator[Broken]:
    """Yield a fault if the last day in service is before the first."""
    if start is not None and end is not None and end < start:
        yield Broken(f"expected a day from start ({start}) on, got {end}", ("end",))
