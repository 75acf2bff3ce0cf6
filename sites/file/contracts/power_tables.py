"""The tables of contracts on power: purchase agreements, swaps, demand response, coincident peaks, minimum take."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, WithJsonSchema

from hardware_profiles.errors import shown
from hardware_profiles.tables import Broken, Table, rule
from sites.file.contracts.quantities import (
    Dated,
    Energy,
    Escalating,
    KilowattsOrNone,
    Power,
    Rise,
    UsdPerKwYear,
    UsdPerMwh,
    WholeYears,
)
from sites.file.horizon.tables import ForwardTable  # noqa: TC001 (pydantic reads it)
from sites.file.values import (
    HourlyTable,
    Hours,
    Megawatts,
    MegawattsOrNone,
    Percent,
    PriceOrNone,
    When,
    assumed,
)
from sites.hours.calendar import WEEK_HOURS


def _week(content: Any) -> Any:
    number = isinstance(content, list | tuple) and all(
        isinstance(item, int | float) and not isinstance(item, bool) and 0 <= item <= 1e5 for item in content
    )
    if not number or len(content) != WEEK_HOURS:
        raise ValueError(f"expected {WEEK_HOURS} numbers of 0 to 100,000 MW, got {shown(content)}")
    return tuple(content)


_MW = {"type": "number", "minimum": 0, "maximum": 1e5}
WeekMw = Annotated[
    tuple[float, ...],
    BeforeValidator(_week),
    WithJsonSchema({"type": "array", "items": _MW, "minItems": WEEK_HOURS, "maxItems": WEEK_HOURS}),
]


class VolumeTable(Escalating):
    """The keys of a volume: constant, shaped by the local hour of the week, or a share of what a plant generates."""

    one_of = (("mw", "mw_by_hour_of_week", "generated_mwh"),)

    mw: MegawattsOrNone | None = None
    mw_by_hour_of_week: WeekMw | None = None  # from Monday, 0 o'clock, on
    generated_mwh: HourlyTable | None = None  # an hourly series of a plant; repeated in later years
    share_percent: Percent = assumed(100.0)  # of what the plant generates


_COLLAR = {"anyOf": [{"required": ["floor_usd_per_mwh"]}, {"required": ["cap_usd_per_mwh"]}]}


class PpaTable(VolumeTable):
    """[[contract]] of kind "ppa": a volume at a fixed price, within a collar, or at an index plus an adder."""

    kind: Literal["ppa"]
    fixed_usd_per_mwh: UsdPerMwh | None = None
    floor_usd_per_mwh: UsdPerMwh | None = None
    cap_usd_per_mwh: UsdPerMwh | None = None
    adder_usd_per_mwh: UsdPerMwh | None = None
    index: ForwardTable | None = None  # that the adder is on; the market price if absent
    below_zero: Literal["settled", "floored", "suspended"] = "settled"

    in_schema = (
        {"oneOf": [{"required": ["fixed_usd_per_mwh"]}, _COLLAR, {"required": ["adder_usd_per_mwh"]}]},
        {"dependentRequired": {"index": ["adder_usd_per_mwh"]}},
    )

    @rule
    def _one_price(self) -> Iterator[Broken]:
        collar = self.floor_usd_per_mwh is not None or self.cap_usd_per_mwh is not None
        kinds = [self.fixed_usd_per_mwh is not None, collar, self.adder_usd_per_mwh is not None]
        if sum(kinds) != 1:
            names = ("fixed_usd_per_mwh", "floor_usd_per_mwh or cap_usd_per_mwh", "adder_usd_per_mwh")
            got = " and ".join(name for name, there in zip(names, kinds, strict=True) if there) or "none"
            yield Broken(f"expected one price: {', '.join(names)}, got {got}")
        if self.index is not None and self.adder_usd_per_mwh is None:
            yield Broken("expected this key only with adder_usd_per_mwh", ("index",))

    @rule
    def _floor_below_the_cap(self) -> Iterator[Broken]:
        floor, cap = self.floor_usd_per_mwh, self.cap_usd_per_mwh
        if floor is not None and cap is not None and floor.value > cap.value:
            yield Broken(f"expected a floor of at most the cap ({cap.value:g}), got {floor.value:g}")


class SwapTable(VolumeTable):
    """[[contract]] of kind "swap": this site pays a fixed price on a volume and receives the market price."""

    kind: Literal["swap"]
    fixed_usd_per_mwh: UsdPerMwh
    floating: Literal["each step", "month average"] = "each step"


class ResponseEventTable(Table):
    """[[contract.event]]: hours of a deployment or a test; a start without an offset is local time."""

    start: When
    hours: Hours


class DemandResponseTable(Dated):
    """[[contract]] of kind "demand_response": paid capacity that is dropped in events and tests."""

    kind: Literal["demand_response"]
    enrolled_mw: Megawatts
    usd_per_mw_hour: PriceOrNone = assumed(0.0)  # of the enrolled power
    usd_per_mwh: PriceOrNone = assumed(0.0)  # of energy dropped in events
    threshold_percent: Percent = assumed(95.0)
    reduction_power: Power = assumed(1.0)
    suspended_below_percent: Percent = assumed(0.0)
    event: tuple[ResponseEventTable, ...] = ()


class TransmissionTable(Dated):
    """[[contract]] of kind "transmission": a charge in the next year on the demand at a year's coincident peaks."""

    kind: Literal["transmission"]
    usd_per_kw_year: UsdPerKwYear
    peak: Annotated[
        tuple[When, ...], Field(min_length=1)
    ]  # starts of the peaks; years without any repeat the last ones
    losses_percent: Rise = assumed(0.0)
    prior_kw: KilowattsOrNone = assumed(0.0)  # mean demand at the peaks of the year before the horizon


class TakeTable(Dated):
    """[[contract]] of kind "minimum_take": energy that is paid for in each contract year, taken or not."""

    kind: Literal["minimum_take"]
    contract_mwh_per_year: Energy
    unused_usd_per_mwh: UsdPerMwh  # of energy that is paid for and not taken
    take_or_pay_percent: Percent = assumed(100.0)
    make_up_years: WholeYears = assumed(0.0)
    most_percent: Rise | None = None
    surcharge_usd_per_mwh: PriceOrNone = assumed(0.0)
