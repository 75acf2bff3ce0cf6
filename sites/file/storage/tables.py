"""The [battery] table of a site file, and the keys that say what it takes to switch a block off and on."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated

from pydantic import Field

from hardware_profiles.tables import Broken, Table, rule
from sites.file.ranges import Range
from sites.file.values import Flag, Megawatts, Percent, PriceOrNone, Value, assumed, within
from sites.storage.ramps import RAMP_PREFIX

Megawatthours = Annotated[Value, *within(Range(0.001, 1_000_000, "MWh"), "battery.energy_mwh")]
Efficiency = Annotated[Value, *within(Range(1, 100, "per cent"), "battery.round_trip_percent")]
Cycles = Annotated[Value, *within(Range(0.01, 100, "cycles a day"))]
SwitchHours = Annotated[Value, *within(Range(0, 168, "hours"), "mining.min_up_hours")]
WakeMinutes = Annotated[Value, *within(Range(0, 1440, "minutes"), "mining.wake_minutes")]
RampName = Annotated[str, Field(pattern=f"^{RAMP_PREFIX}[A-Za-z0-9][A-Za-z0-9._-]*$")]
StartUsd = Annotated[Value, *within(Range(0, 1e9, "USD"))]


class BatteryTable(Table):
    """[battery]: a battery at the meter, which displaces load, and feeds the grid only where it may export."""

    one_of = (("round_trip_percent", "charge_percent"),)

    power_mw: Megawatts
    energy_mwh: Megawatthours  # between empty and full cells
    round_trip_percent: Efficiency | None = None
    charge_percent: Efficiency | None = None  # of the energy at the meter that reaches the cells
    discharge_percent: Efficiency | None = None  # of the cells' energy that reaches the meter
    min_state_percent: Percent = assumed(0.0)
    max_state_percent: Percent = assumed(100.0)
    start_state_percent: Percent = assumed(50.0)
    end_state_percent: Percent | None = None  # at least; without it, the start state
    degradation_usd_per_mwh: PriceOrNone = assumed(0.0)  # of energy that is discharged
    may_export: Flag = False
    cycles_per_day: Cycles | None = None

    in_schema = (
        {
            "dependentRequired": {
                "charge_percent": ["discharge_percent"],
                "discharge_percent": ["charge_percent"],
            }
        },
    )

    @rule
    def _both_ways(self) -> Iterator[Broken]:
        if (self.charge_percent is None) != (self.discharge_percent is None):
            yield Broken("expected both charge_percent and discharge_percent, or round_trip_percent alone, got one")

    @rule
    def _minimum_below_maximum(self) -> Iterator[Broken]:
        low, high = self.min_state_percent.value, self.max_state_percent.value
        if low >= high:
            yield Broken(f"expected min_state_percent below max_state_percent ({high:g}), got {low:g}")

    @rule
    def _start_within(self) -> Iterator[Broken]:
        yield from _within("start_state_percent", self.start_state_percent, self)

    @rule
    def _end_within(self) -> Iterator[Broken]:
        if self.end_state_percent is not None:
            yield from _within("end_state_percent", self.end_state_percent, self)

    @rule
    def _end_not_below_start(self) -> Iterator[Broken]:
        start = self.start_state_percent.value
        if self.end_state_percent is not None and self.end_state_percent.value < start:
            got = self.end_state_percent.value
            yield Broken(f"expected end_state_percent of at least start_state_percent ({start:g}), got {got:g}")


def _within(key: str, state: Value, table: BatteryTable) -> Iterator[Broken]:
    low, high = table.min_state_percent.value, table.max_state_percent.value
    if not low <= state.value <= high:
        yield Broken(
            f"expected {key} of min_state_percent to max_state_percent ({low:g} to {high:g}), got {state.value:g}"
        )


class StartKeys(Table):
    """Keys of a block that is switched off and on as a whole, and not for nothing; without them, devices are free."""

    min_up_hours: SwitchHours | None = None
    min_down_hours: SwitchHours | None = None
    wake_minutes: WakeMinutes | None = None  # in which power is drawn without output
    start_usd: StartUsd | None = None  # for each start of the whole block
    ramp: RampName | None = None  # `ramp:ID`, a result of `perwatt ramp`, which states the minutes and hours

    @rule
    def _minutes_once(self) -> Iterator[Broken]:
        if self.ramp is not None and self.wake_minutes is not None:
            yield Broken("expected either wake_minutes or ramp, which states them, got both")
