"""What one look at a miner shows: its state by figures that fit, and every reason for doubt.

A word of the firmware alone is no evidence. A miner runs if it shows a rate that fits its setting; it is off if it says
so and shows no rate and little power. Figures that stand still, are all zero, or are beyond what the machine can do
make the state unknown.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field

from bench.levers.protocol import Observation
from bench.miners.record import MinerReading, PowerReading, RateReading
from bench.miners.words import NOT_MEASURED
from sites.control.model import OFF, UnitState

FROZEN_S = 5.0  # [s] clocks of firmware count whole seconds
MOST_W = 15_000.0  # no miner draws more
_OVER = 1.5  # of full power and of the nominal rate: more is a slip of telemetry
_STILL_ON = 0.5  # of full power, or of the power at work
_STILL_HASHING = 0.05  # of the nominal rate
_FITS_RATE = 0.8  # of the rate of the setting
_EXCEEDS_RATE = 1.25  # of the rate of the setting
_LEAST_FRAC = 0.3  # of the rate of its setting: a machine that makes less does not work steadily
_FITS_POWER = 0.2  # relative difference between a power and its target
_IDLE_W = 400.0  # [W] control board, fans and a supply without load draw less
_BEST_J_PER_TH, _WORST_J_PER_TH = 5.0, 250.0
_SMALL_W = 200.0  # [W] a machine that never draws more, such as a Bitaxe, is never called on by its watts alone
_HOT_PLACES = frozenset({"chip", "board", "voltage_regulator", "unknown"})


@dataclass(frozen=True, slots=True)
class Look:
    """What the replies of a miner say, before it is judged."""

    reading: MinerReading
    identity: str | None  # MAC or serial number
    off: bool | None  # whether the firmware says that it is switched off, asleep or paused
    level: str | None = None  # level of its setting, whether or not it works
    changing: str = ""  # code of why it is between two states: `tuning`, `ramping`, `starting`
    fault: bool = False  # whether the firmware says that it cannot work
    empty_is_off: bool = False  # whether replies without figures are what sleep looks like
    clocks: tuple[object, ...] = ()  # values that move while the miner lives
    full_w: float | None = None  # [W] at its highest setting
    target_w: float | None = None  # [W] of its setting
    target_frac: float = _FITS_POWER  # relative difference between power and target that is allowed
    expected_per_s: float | None = None  # [hash/s] of its setting
    doubts: tuple[str, ...] = field(default=())


@dataclass(frozen=True, slots=True)
class Before:
    """What the look before showed."""

    at_s: float
    clocks: tuple[object, ...]


def observation(look: Look, before: Before | None, now_s: float, usual_frac: float = 1.0) -> Observation:
    """Return what a look shows.

    Parameters
    ----------
    look
        What the replies say.
    before
        The look before, to see that the figures move; None at the first one.
    now_s
        Time of the look [s, Unix].
    usual_frac
        Share of the rate of its setting that this device makes: a machine with a dead board works all the same.
    """
    rate, power = recent_rate(look.reading.rates), measured_power(look.reading.powers)
    rate_per_s = None if rate is None else rate.rate_h_s
    power_w = None if power is None else power.power_w
    doubts = [*look.doubts, *_doubts(look, before, now_s, rate_per_s, power)]
    state, reasons = (UnitState.UNKNOWN, []) if doubts else _state(look, rate_per_s, power, usual_frac)
    level = OFF if state is UnitState.OFF else look.level if not doubts else None
    return Observation(
        at_s=now_s,
        state=state,
        level=level,
        identity=look.identity,
        power_w=power_w,
        power_kind="unknown" if power is None else power.kind,
        rate_per_s=rate_per_s,
        hottest_c=hottest_c(look.reading),
        reasons=tuple(dict.fromkeys([*doubts, *reasons])),
    )


def recent_rate(rates: Iterable[RateReading]) -> RateReading | None:
    """Return the counted rate with the shortest window; a mean since the restart says nothing of now."""
    counted = [rate for rate in rates if rate.basis != "nominal" and rate.averaging != "since_restart"]
    return min(counted, key=lambda rate: rate.window_s if rate.window_s is not None else 1.0, default=None)


def measured_power(powers: Iterable[PowerReading]) -> PowerReading | None:
    """Return the power of now, measured before estimated; a target and a nameplate are none."""
    order = ("ac_in_psu", "unknown", "dc_out", "dc_out_plus_const", "estimate")
    shown = [power for power in powers if power.kind not in NOT_MEASURED]
    return min(shown, key=lambda power: order.index(power.kind), default=None)


def hottest_c(reading: MinerReading) -> float | None:
    """Return the highest temperature of chips, boards and regulators [°C]."""
    return max((one.temperature_c for one in reading.temperatures if one.place in _HOT_PLACES), default=None)


def _doubts(
    look: Look, before: Before | None, now_s: float, rate_per_s: float | None, power: PowerReading | None
) -> Iterable[str]:
    if before is not None and look.clocks and look.clocks == before.clocks and now_s - before.at_s >= FROZEN_S:
        yield "frozen"
    power_w = None if power is None else power.power_w
    if power_w is not None and power_w > (_OVER * look.full_w if look.full_w else MOST_W):
        yield "implausible_power"
    nominal = look.expected_per_s or look.reading.nominal_rate_h_s
    if nominal and rate_per_s is not None and rate_per_s > _OVER * nominal:
        yield "implausible_rate"
    if not look.changing and not look.off and (_j_per_th(rate_per_s, power_w) or _BEST_J_PER_TH) < _BEST_J_PER_TH:
        yield "implausible_rate"
    if rate_per_s and power_w == 0.0:
        yield "hashes_without_watts"


def _j_per_th(rate_per_s: float | None, power_w: float | None) -> float | None:
    """Return joules per terahash of a machine that both figures describe, or None."""
    return power_w / (rate_per_s / 1e12) if rate_per_s and power_w and power_w > _SMALL_W else None


def steady_frac(look: Look) -> float | None:
    """Return the share of the rate of its setting that a device makes that works steadily, at most 1; else None."""
    rate = recent_rate(look.reading.rates)
    if rate is None or not look.expected_per_s or look.off or look.changing or look.doubts:
        return None
    share = rate.rate_h_s / look.expected_per_s
    return min(share, 1.0) if share >= _LEAST_FRAC else None


def _state(
    look: Look, rate_per_s: float | None, power: PowerReading | None, usual_frac: float
) -> tuple[UnitState, list[str]]:
    if look.off:
        return _state_off(look, rate_per_s, power)
    power_w, nominal = None if power is None else power.power_w, look.reading.nominal_rate_h_s
    if rate_per_s is None:
        return (UnitState.CHANGING, [look.changing]) if look.changing else (UnitState.UNKNOWN, ["no_rate"])
    if rate_per_s == 0.0:
        return _state_without_rate(look, power_w)
    reason = look.changing or _misfit(look, rate_per_s, power_w, nominal, usual_frac)
    if reason:
        return UnitState.CHANGING, [reason]
    return UnitState.RUNNING, ["rate_below_level"] if usual_frac < _FITS_RATE else []


def _misfit(look: Look, rate_per_s: float, power_w: float | None, nominal: float | None, usual_frac: float) -> str:
    """Return the code of why rate and power do not fit the setting; empty if they do."""
    expected = look.expected_per_s
    least = _FITS_RATE * usual_frac * expected if expected else _STILL_HASHING * (nominal or 0.0)
    if rate_per_s < least:
        return "rate_below_level"
    if expected and rate_per_s > _EXCEEDS_RATE * expected:
        return "rate_above_level"
    if (_j_per_th(rate_per_s, power_w) or 0.0) > _WORST_J_PER_TH:
        return "watts_without_hashes"
    if look.target_w and power_w and abs(power_w / look.target_w - 1.0) > look.target_frac:
        return "power_off_target"
    return ""


def _state_off(look: Look, rate_per_s: float | None, power: PowerReading | None) -> tuple[UnitState, list[str]]:
    """Return the state of a miner that says it is off; its rate and its watts must not contradict that."""
    power_w = None if power is None else power.power_w
    nominal = look.expected_per_s or look.reading.nominal_rate_h_s
    if rate_per_s and rate_per_s > _STILL_HASHING * (nominal or 0.0):
        return UnitState.CHANGING, ["rate_while_off"]
    if power_w is not None and power_w > max(_IDLE_W, _STILL_ON * (look.full_w or 0.0)):
        return UnitState.CHANGING, ["power_while_off"]
    if power is not None and power.power_w == 0.0 and power.kind != "estimate":
        return UnitState.UNKNOWN, ["zeroed"]  # what answers draws something
    if rate_per_s is None and power is None and not look.empty_is_off:
        return UnitState.UNKNOWN, ["no_figures"]
    return UnitState.OFF, []


def _state_without_rate(look: Look, power_w: float | None) -> tuple[UnitState, list[str]]:
    """Return the state of a miner that is on and shows no rate: it starts, idles, or its telemetry is zeroed."""
    if look.fault:
        return UnitState.FAULT, ["fault_shown"]
    if look.changing:
        return UnitState.CHANGING, [look.changing]
    if not power_w:
        return UnitState.UNKNOWN, ["zeroed"]
    return UnitState.CHANGING, ["watts_without_hashes" if power_w > _IDLE_W else "no_hashes"]
