"""What follows an event of a simulated unit: the stretches from the command to sleep, to full power, or between."""

from collections.abc import Iterator
from random import Random
from typing import NamedTuple

from bench.twin.kinds import Kind
from bench.twin.phases import Approach, Phase, Stretch

_LAGS = 4.0  # time constants of a ramp of a stated length: it ends within 2 % of its change
_INRUSH_LAG_S = 0.5  # [s]
_PLATEAUS = 4
_PLATEAU_LAG_S = 5.0  # [s]
_RATE_LATER = 1.5  # the rate follows the power with a time constant that is so many times as long
_STOP_LAG_S = 1.0  # [s] hashing ends at once


class Moment(NamedTuple):
    """What a unit draws and computes at a time."""

    at_s: float  # [s, Unix]
    power_w: float
    rate_per_s: float  # [hash/s] or [token/s]


def steady(kind: Kind, level_w: float, start_s: float) -> Stretch:
    """Return the stretch of a unit that works at a level, or sleeps, for ever."""
    if level_w == 0.0:
        return Stretch(Phase.SLEEP, start_s, Approach(0.0, kind.asleep_w), Approach(0.0, 0.0), 0.0)
    return Stretch(Phase.MINING, start_s, Approach(0.0, level_w), Approach(0.0, kind.rate_per_s(level_w)), level_w)


def falling(kind: Kind, now: Moment) -> Iterator[Stretch]:
    """Yield the stretches of a unit that goes to sleep."""
    lag_s = kind.down_s / _LAGS
    down = Approach(now.power_w, kind.asleep_w, lag_s)
    yield Stretch(Phase.RAMP_DOWN, now.at_s, down, Approach(now.rate_per_s, 0.0, _STOP_LAG_S), 0.0)
    asleep = Approach(down.at(kind.down_s), kind.asleep_w, lag_s)
    yield Stretch(Phase.SLEEP, now.at_s + kind.down_s, asleep, Approach(0.0, 0.0), 0.0)


def booting(kind: Kind, level_w: float, now: Moment) -> Stretch:
    """Return the boot of a unit that will go to a level, with the inrush of its supply."""
    surge = Approach(max(now.power_w, kind.boot_w + kind.inrush_w), kind.boot_w, _INRUSH_LAG_S)
    return Stretch(Phase.BOOT, now.at_s, surge, Approach(0.0, 0.0), level_w)


def rising(kind: Kind, level_w: float, now: Moment, random: Random, *, boots: bool) -> Iterator[Stretch]:
    """Yield the stretches of a unit that goes to a level at which it works.

    Parameters
    ----------
    kind
        What it draws, and how it changes.
    level_w
        Power that it goes to [W].
    now
        What it does at the time of the command.
    random
        Of its plateaus.
    boots
        Whether it boots first, as one that slept does.
    """
    if boots:
        stretch = booting(kind, level_w, now)
        yield stretch
        now = _end(stretch, now.at_s + kind.boot_s)
    for stretch in _ramp(kind, level_w, now):
        yield stretch
        now = _end(stretch, stretch.start_s + kind.up_s / max(kind.stairs, 1))
    for _ in range(_PLATEAUS if kind.tuning_s > 0.0 else 0):
        plateau_w = level_w * (1.0 + random.uniform(-kind.tuning_frac, kind.tuning_frac))
        power_w, rate_per_s = _toward(kind, now, plateau_w, _PLATEAU_LAG_S)
        stretch = Stretch(Phase.TUNING, now.at_s, power_w, rate_per_s, level_w)
        yield stretch
        now = _end(stretch, now.at_s + kind.tuning_s / _PLATEAUS)
    yield Stretch(Phase.MINING, now.at_s, *_toward(kind, now, level_w, _PLATEAU_LAG_S), level_w)


def _ramp(kind: Kind, level_w: float, now: Moment) -> Iterator[Stretch]:
    """Yield the ramp: one lag, or stairs of equal height and length."""
    top_w = level_w * (1.0 + kind.overshoot_frac) if level_w > now.power_w else level_w
    first_w, first_s, steps = now.power_w, now.at_s, max(kind.stairs, 1)
    step_s = kind.up_s / steps
    lag_s = step_s / _LAGS if kind.stairs == 0 else min(1.0, step_s / _LAGS)
    for step in range(1, steps + 1):
        end_w = first_w + (top_w - first_w) * step / steps
        stretch = Stretch(Phase.RAMP_UP, now.at_s, *_toward(kind, now, end_w, lag_s), level_w)
        yield stretch
        now = _end(stretch, first_s + step * step_s)


def _toward(kind: Kind, now: Moment, end_w: float, lag_s: float) -> tuple[Approach, Approach]:
    """Return power and rate of a unit that goes to a power; the rate lags."""
    rate = Approach(now.rate_per_s, kind.rate_per_s(end_w), _RATE_LATER * lag_s)
    return Approach(now.power_w, end_w, lag_s), rate


def _end(stretch: Stretch, end_s: float) -> Moment:
    after_s = end_s - stretch.start_s
    return Moment(end_s, stretch.power_w.at(after_s), stretch.rate_per_s.at(after_s))
