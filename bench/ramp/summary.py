"""The figures of all repetitions, each with its 95 % interval."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from bench.measure.stats import half_width, standard_from_limits
from bench.ramp.moments import Bracket
from bench.ramp.repetition import Repetition
from bench.ramp.samples import Plateau


@dataclass(frozen=True, slots=True)
class Figure:
    """A figure of a ramp."""

    value: float
    unit: str
    interval: tuple[float, float]  # 95 %
    n: int  # repetitions
    u_meter: float = 0.0  # standard uncertainty from the meter's accuracy, in `unit`


def figures(
    repetitions: Sequence[Repetition], full: Plateau, rate: Plateau | None, accuracy_frac: float
) -> dict[str, Figure]:
    """Return the figures of two or more repetitions.

    Parameters
    ----------
    repetitions
        What each of them shows.
    full
        The full power before the first command [W].
    rate
        The full rate before the first command; None without a rate.
    accuracy_frac
        Accuracy of the meter [-].

    Notes
    -----
    The bounds of a bracket are limits that hold in each repetition alike, because a late meter is late in all of them;
    so their mean half width does not shrink with the number of repetitions. The scatter between repetitions does.
    """
    u_frac = standard_from_limits(accuracy_frac)
    first = repetitions[0]
    known: dict[str, Figure] = {
        "off_time": _time([one.off_time_s for one in repetitions]),
        "on_time": _time([one.on_time_s for one in repetitions]),
        "full_power_time": _time([one.full_power_time_s for one in repetitions]),
        "off_energy": _energy(
            [one.off_energy_j for one in repetitions],
            u_frac,
            [one.resting.u * one.off_h * 3600.0 for one in repetitions],
        ),
        "full_power": _level([full], u_frac),
        "resting_power": _level([one.resting for one in repetitions], u_frac),
    }
    peak_w = math.fsum(one.peak_w for one in repetitions) / len(repetitions)
    over_w = peak_w - full.mean
    if over_w > 2.0 * full.sd:
        known["overshoot_power"] = _spread([one.peak_w - full.mean for one in repetitions], "W", 2.0 * full.sd, u_frac)
    if first.full_rate_time_s is not None and rate is not None:
        u_rate_frac = rate.u / rate.mean
        known["full_rate_time"] = _time([one.full_rate_time_s for one in repetitions])
        known["rate_lag"] = _time([one.rate_lag_s for one in repetitions], signed=True)
        ends_s = [
            max(one.full_rate_time_s.high, one.full_power_time_s.high) for one in repetitions if one.full_rate_time_s
        ]
        known["lost_output_time"] = _time(
            [one.lost_output_s for one in repetitions], others=[u_rate_frac * end_s for end_s in ends_s]
        )
        others = [math.hypot(full.u, u_rate_frac * full.mean) * end_s for end_s in ends_s]
        known["start_energy"] = _energy([one.start_energy_j for one in repetitions], u_frac, others)
    return known


def _time(brackets: Sequence[Bracket | None], *, signed: bool = False, others: Sequence[float] = (0.0,)) -> Figure:
    figure = _joined([one for one in brackets if one is not None], "s", 0.0, others)
    if signed:
        return figure
    return Figure(figure.value, "s", (max(0.0, figure.interval[0]), figure.interval[1]), figure.n)


def _energy(brackets: Sequence[Bracket | None], u_frac: float, others: Sequence[float]) -> Figure:
    return _joined([one for one in brackets if one is not None], "J", u_frac, others)


def _joined(brackets: Sequence[Bracket], unit: str, u_frac: float, others: Sequence[float]) -> Figure:
    n = len(brackets)
    middles = [one.middle for one in brackets]
    value = math.fsum(middles) / n
    sd = math.sqrt(math.fsum((middle - value) ** 2 for middle in middles) / (n - 1))
    u_meter = abs(value) * u_frac
    u_bracket = math.fsum(one.half for one in brackets) / n / math.sqrt(3.0)
    u_other = math.fsum(others) / len(others)
    half = half_width(sd / math.sqrt(n), n - 1.0, math.hypot(u_bracket, u_meter, u_other))
    return Figure(value, unit, (value - half, value + half), n, u_meter)


def _level(plateaus: Sequence[Plateau], u_frac: float) -> Figure:
    n = len(plateaus)
    value = math.fsum(one.mean for one in plateaus) / n
    between = math.sqrt(math.fsum((one.mean - value) ** 2 for one in plateaus) / (n - 1)) if n > 1 else 0.0
    u_level = math.fsum(one.u for one in plateaus) / n
    u_meter = abs(value) * u_frac
    if n == 1:
        half = half_width(plateaus[0].u, 3.0, u_meter)
    else:
        half = half_width(between / math.sqrt(n), n - 1.0, math.hypot(u_level, u_meter))
    return Figure(value, "W", (value - half, value + half), n, u_meter)


def _spread(values: Sequence[float], unit: str, half_limit: float, u_frac: float) -> Figure:
    return _joined([Bracket(value - half_limit, value + half_limit) for value in values], unit, u_frac, (0.0,))
