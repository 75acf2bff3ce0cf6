"""The tables and keys of a control file (control.toml)."""

from collections.abc import Iterator
from typing import Annotated, Literal

from pydantic import AfterValidator, AwareDatetime, Field

from bench.control.inputs.tables import PriceTable, Targets
from bench.levers.registry import LOGIN
from hardware_profiles.errors import shown
from hardware_profiles.tables import Broken, Table, rule
from sites.control.model import OFF, ON
from sites.control.rules import MOST_WINDOWS

_DAY_S = 86_400.0


def _printable(text: str) -> str:
    """Refuse characters that a terminal would obey."""
    if not text.isprintable():
        raise ValueError(f"expected text without control characters, got {shown(text)}")
    return text


Text = Annotated[str, Field(min_length=1, max_length=4000), AfterValidator(_printable)]
Seconds = Annotated[float, Field(strict=True, ge=0, le=_DAY_S, allow_inf_nan=False)]
Tick = Annotated[float, Field(strict=True, ge=1, le=3600, allow_inf_nan=False)]
Watts = Annotated[float, Field(strict=True, ge=0, le=1e8, allow_inf_nan=False)]
Kilowatts = Annotated[float, Field(strict=True, ge=0, le=1e8, allow_inf_nan=False)]
Joules = Annotated[float, Field(strict=True, gt=0, le=1e9, allow_inf_nan=False)]
Share = Annotated[float, Field(strict=True, gt=0, le=1, allow_inf_nan=False)]
Percent = Annotated[float, Field(strict=True, ge=0, lt=100, allow_inf_nan=False)]
Count = Annotated[int, Field(strict=True, ge=1, le=1_000_000)]
Windows = Annotated[int, Field(strict=True, ge=1, le=MOST_WINDOWS)]
Ramp = Seconds | Annotated[str, Field(pattern=r"^ramp:\S+$")]


class ControlTable(Table):
    """[control]: the cycle, and what is done without a fresh input. What is safe differs, so it has no default."""

    tick_s: Tick = 30.0  # [s] between two cycles
    on_stale_price: Literal["hold", "curtail", "run"]
    on_lost_telemetry: Literal["hold", "curtail"]  # of a unit
    on_lost_target: Literal["hold", "curtail", "run"] | None = None  # required with [target]
    on_controller_death: Literal["keep"]  # devices keep their last state
    stale_price_s: Seconds = 900.0  # [s] for which the last price holds on after the end of its interval
    windows_down: Windows = 1  # price intervals in a row before a unit goes down
    windows_up: Windows = 1  # price intervals in a row before a unit comes up
    lost_telemetry_s: Seconds | None = None  # [s] after which a look is too old; three cycles unless it is stated

    @rule
    def _telemetry_may_miss_a_cycle(self) -> Iterator[Broken]:
        if self.lost_telemetry_s is not None and self.lost_telemetry_s <= self.tick_s:
            got = f"expected more than tick_s ({self.tick_s:g} s), got {self.lost_telemetry_s:g}"
            yield Broken(got, ("lost_telemetry_s",))


class LimitsTable(Table):
    """[limits]: what every command keeps. None has a default."""

    feeder_kw: Kilowatts  # [kW] at the feeder
    ramp_kw_per_min: Kilowatts  # [kW] that may be commanded up, and down, in any minute
    units_per_wave: Count
    wave_interval_s: Seconds
    min_on_s: Seconds
    min_off_s: Seconds
    commands_per_hour: Count  # a unit
    fleet_frac: Share  # of the fleet that one wave may command
    overshoot_percent: Percent  # by which a unit that starts may exceed its full power
    other_kw: Kilowatts  # [kW] of other loads at the feeder, such as fans, at most
    losses_percent: Percent  # share of the feeder's power that no load draws


class FeederTable(Table):
    """[feeder]: the meter that is not a device's own. Without it a site cannot be armed."""

    meter: Text  # as --meter takes it
    verify_s: Annotated[float, Field(strict=True, gt=0, le=_DAY_S, allow_inf_nan=False)]


class LevelTable(Table):
    """[[unit.level]]: an operating point between off and full power, as the lever names it."""

    name: Text
    power_w: Watts
    efficiency_j_per_th: Joules | None = None
    efficiency_j_per_token: Joules | None = None


class UnitTable(Table):
    """[[unit]]: a unit, or a node set of equal units."""

    name: Text
    block: Text  # of the site
    lever: Text
    address: Text
    identity: Text | None = None  # MAC, serial number or UUID; that of the first look unless it is stated
    options: Annotated[dict[Text, Text], Field(default_factory=dict)]  # of the lever
    power_w: Annotated[Watts, Field(gt=0)]  # at full power
    asleep_w: Watts  # when it is off
    efficiency_j_per_th: Joules | None = None  # at full power
    efficiency_j_per_token: Joules | None = None
    ramp_up_s: Ramp = 0.0
    ramp_down_s: Ramp = 0.0
    level: tuple[LevelTable, ...] = ()

    @rule
    def _levels_are_between(self) -> Iterator[Broken]:
        if self.asleep_w >= self.power_w:
            yield Broken(f"expected less than power_w ({self.power_w:g} W), got {self.asleep_w:g}", ("asleep_w",))
        names = [level.name for level in self.level]
        for index, level in enumerate(self.level):
            if level.name in {OFF, ON} or names.count(level.name) > 1:
                yield Broken(f"expected another name than off, on and other levels, got {level.name}", ("level", index))
            if not self.asleep_w < level.power_w < self.power_w:
                yield Broken("expected a power between asleep_w and power_w", ("level", index, "power_w"))

    @rule
    def _one_efficiency(self) -> Iterator[Broken]:
        if self.efficiency_j_per_th is not None and self.efficiency_j_per_token is not None:
            yield Broken("expected an efficiency per TH or per token, got both")
        for index, level in enumerate(self.level):
            if level.efficiency_j_per_th is not None and level.efficiency_j_per_token is not None:
                yield Broken("expected an efficiency per TH or per token, got both", ("level", index))

    @rule
    def _no_password(self) -> Iterator[Broken]:
        for key in self.options:
            if "password" in key and key not in LOGIN:
                yield Broken(
                    "expected password_file or password_env: a password has no place in this file", ("options",)
                )


class ControlFile(Table):
    """A control file: what is declared of a site under control."""

    control: ControlTable
    limits: LimitsTable
    feeder: FeederTable | None = None
    unit: Annotated[tuple[UnitTable, ...], Field(min_length=1)]
    price: PriceTable | None = None
    target: Targets = ()

    @rule
    def _lost_target_is_declared(self) -> Iterator[Broken]:
        if self.target and self.control.on_lost_target is None:
            yield Broken(
                "expected hold, curtail or run where there is a [target], got nothing", ("control", "on_lost_target")
            )


class ArmFile(Table):
    """An arm file: the permission to command some units of one control file, for some time."""

    site: Text
    units: Annotated[tuple[Text, ...], Field(min_length=1)]  # names or node sets
    maximum_mw: Annotated[float, Field(strict=True, gt=0, le=100_000, allow_inf_nan=False)]
    expires: AwareDatetime  # at most 30 days ahead
    control_sha256: Annotated[str, Field(pattern="^[0-9a-f]{64}$")]  # of the bytes of the control file
