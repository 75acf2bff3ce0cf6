"""One switch off and on again, read from its samples: times and joules as brackets, or why there are none."""

from dataclasses import dataclass, replace

from bench.ramp.moments import Bracket, first_beyond, last_outside
from bench.ramp.rule import Meter, Rule
from bench.ramp.samples import Plateau, Samples, plateau

_BAND_SD = 3.0  # standard deviations of a reading at full power, at least, in half of its band


class RampError(Exception):
    """A ramp that cannot be read.

    Parameters
    ----------
    code
        Its code in bench/diagnostics.py.
    detail
        What was seen.
    """

    def __init__(self, code: str, detail: str) -> None:
        super().__init__(detail)
        self.code, self.detail = code, detail


@dataclass(frozen=True, slots=True)
class Switch:
    """When the commands of one repetition were sent, and how long it was watched."""

    off_s: float  # [s, monotonic]
    on_s: float  # [s, monotonic]
    end_s: float  # [s, monotonic]


@dataclass(frozen=True, slots=True)
class Source:
    """Samples with how late they are."""

    samples: Samples
    meter: Meter


@dataclass(frozen=True, slots=True)
class Repetition:
    """What one repetition shows; times count from their command."""

    off_h: float  # [h] from the command to off to the command to on
    resting: Plateau  # [W]
    off_time_s: Bracket
    on_time_s: Bracket
    full_power_time_s: Bracket
    off_energy_j: Bracket  # drawn above resting power after the command to off
    missing_energy_j: Bracket  # by which the way up draws less than full power from the command on
    peak_w: float  # highest sample after the command to on
    full_rate_time_s: Bracket | None = None
    lost_output_s: Bracket | None = None  # seconds of full rate that the way up lacks
    start_energy_j: Bracket | None = None  # drawn on the way up without the work that full power gives for it

    @property
    def rate_lag_s(self) -> Bracket | None:
        """By how much full rate comes after full power [s]."""
        return None if self.full_rate_time_s is None else self.full_rate_time_s.minus(self.full_power_time_s)


def read(switch: Switch, power: Source, full: Plateau, rate: tuple[Source, Plateau] | None, rule: Rule) -> Repetition:
    """Return the figures of one repetition.

    Parameters
    ----------
    switch
        Its commands.
    power
        Samples of the wall meter.
    full
        The full power before the first command.
    rate
        Samples of the rate that the device shows, and its full rate before the first command; None if it shows none, or
        if it scatters too much for the rule.
    rule
        The rule, fixed before the run.

    Raises
    ------
    RampError
        The step is too small for the meter's noise, never comes, or does not settle.
    """
    resting = plateau(power.samples.between(max(switch.off_s, switch.on_s - rule.plateau_s), switch.on_s))
    if resting is None:
        raise RampError("ramp_too_few_samples", f"{len(power.samples)} power samples in all")
    step_w = full.mean - resting.mean
    _check_step(step_w, full, resting, rule)
    off_time_s = _off(switch, power, resting, step_w, rule)
    on_time_s = _on(switch, power, resting, step_w, rule)
    full_time_s = _full(switch, power, full, step_w, rule)
    up = power.samples.between(switch.on_s, switch.end_s)
    repetition = Repetition(
        off_h=(switch.on_s - switch.off_s) / 3600.0,
        resting=resting,
        off_time_s=off_time_s,
        on_time_s=on_time_s,
        full_power_time_s=full_time_s,
        off_energy_j=_above(power, resting.mean, step_w, switch.off_s, switch.on_s),
        missing_energy_j=_missing(power, full.mean, step_w, switch.on_s, _over(switch, full_time_s, power)),
        peak_w=max(up.values),
    )
    return repetition if rate is None else _with_rate(repetition, switch, power, full, rate, rule)


def _check_step(step_w: float, full: Plateau, resting: Plateau, rule: Rule) -> None:
    seen = f"from {full.mean:.4g} W to {resting.mean:.4g} W"
    if step_w <= rule.margin_sd * max(full.sd, resting.sd):
        raise RampError("ramp_never_off", f"{seen} after the command to off")
    if abs(resting.drift) > max(rule.off_frac / 2.0 * step_w, rule.margin_sd * resting.sd):
        raise RampError("ramp_never_off", f"the power still changed by {resting.drift:+.3g} W before the command to on")
    least_w = max(least_step_w(resting, rule), _BAND_SD * full.sd / rule.full_frac)
    if step_w < least_w:
        raise RampError("ramp_step_small", f"{seen}, where the scatter of the readings needs {least_w:.3g} W")


def least_step_w(resting: Plateau, rule: Rule) -> float:
    """Return the least step whose thresholds stand clear of the scatter of the resting power [W]."""
    return 2.0 * rule.margin_sd * resting.sd / min(rule.on_frac, rule.off_frac)


def _off(switch: Switch, power: Source, resting: Plateau, step_w: float, rule: Rule) -> Bracket:
    threshold_w, margin_w = resting.mean + rule.off_frac * step_w, rule.margin_sd * resting.sd
    moment = last_outside(
        power.samples.between(switch.off_s, switch.on_s),
        switch.off_s,
        lambda watts: watts >= threshold_w + margin_w,
        lambda watts: watts < threshold_w - margin_w,
        power.meter,
    )
    if moment is None:
        raise RampError("ramp_never_off", f"above {threshold_w:.4g} W until the command to on")
    return moment.minus(switch.off_s)


def _on(switch: Switch, power: Source, resting: Plateau, step_w: float, rule: Rule) -> Bracket:
    threshold_w, margin_w = resting.mean + rule.on_frac * step_w, rule.margin_sd * resting.sd
    moment = first_beyond(
        power.samples.between(switch.on_s, switch.end_s),
        switch.on_s,
        lambda watts: watts >= threshold_w + margin_w,
        lambda watts: watts < threshold_w - margin_w,
        power.meter,
    )
    if moment is None:
        raise RampError("ramp_never_on", f"below {threshold_w:.4g} W for {switch.end_s - switch.on_s:.0f} s")
    return moment.minus(switch.on_s)


def _full(switch: Switch, power: Source, full: Plateau, step_w: float, rule: Rule) -> Bracket:
    band_w, margin_w = full_band(full, step_w, rule)
    moment = last_outside(
        power.samples.between(switch.on_s, switch.end_s),
        switch.on_s,
        lambda watts: abs(watts - full.mean) >= band_w + margin_w,
        lambda watts: abs(watts - full.mean) < band_w - margin_w,
        power.meter,
    )
    if moment is None:
        last_w = power.samples.at(switch.end_s)
        raise RampError(
            "ramp_never_full", f"{last_w:.4g} W after {switch.end_s - switch.on_s:.0f} s, not {full.mean:.4g} W"
        )
    return moment.minus(switch.on_s)


def full_band(full: Plateau, step_w: float, rule: Rule) -> tuple[float, float]:
    """Return the half width of the band of full power, and the margin that counts as certain [W].

    A device at work moves within its band, and that is no noise: so the margin is at most half of the band.
    """
    band_w = rule.full_frac * step_w
    return band_w, min(rule.margin_sd * full.sd, band_w / 2.0)


def _over(switch: Switch, full_time_s: Bracket, source: Source) -> float:
    """Return the time after which a late meter, too, shows that the ramp is over [s, monotonic]."""
    return min(switch.end_s, switch.on_s + full_time_s.high + source.meter.back_s)


def _above(power: Source, resting_w: float, step_w: float, start_s: float, end_s: float) -> Bracket:
    drawn_j = power.samples.integral(start_s, end_s) - resting_w * (end_s - start_s)
    return _undelayed(drawn_j, power, step_w, start_s, end_s)


def _missing(power: Source, full_w: float, step_w: float, start_s: float, end_s: float) -> Bracket:
    missing_j = full_w * (end_s - start_s) - power.samples.integral(start_s, end_s)
    return _undelayed(missing_j, power, step_w, start_s, end_s)


def _undelayed(integral: float, source: Source, step: float, start_s: float, end_s: float) -> Bracket:
    """Return what an integral from a command on is without the delay of its meter.

    Notes
    -----
    A mean over A seconds that is up to L seconds old shows a step 0 to L + A/2 late, and so the integral is too large
    by that time at the level of before. The trapezoids add half a gap between two samples.
    """
    latest_s = source.meter.late_s + source.meter.averaging_s / 2.0
    gap_s = source.samples.largest_gap_s(start_s, end_s) / 2.0
    return Bracket(integral - step * (latest_s + gap_s), integral + step * gap_s)


def _with_rate(  # noqa: PLR0913, PLR0917 (the parts of one repetition)
    repetition: Repetition, switch: Switch, power: Source, full: Plateau, rate: tuple[Source, Plateau], rule: Rule
) -> Repetition:
    """Return the repetition with what its rate shows; one whose rate never comes back has its reason."""
    source, usual = rate
    margin = rule.margin_sd * usual.sd
    least = (1.0 - rule.rate_frac) * usual.mean
    moment = last_outside(
        source.samples.between(switch.on_s, switch.end_s),
        switch.on_s,
        lambda value: value < least - margin,
        lambda value: value > least + margin,
        source.meter,
    )
    if moment is None:
        raise RampError("ramp_never_full", f"the rate stays below {least:.4g} of {usual.mean:.4g} a second")
    at_rate_s = moment.minus(switch.on_s)
    end_s = max(_over(switch, at_rate_s, source), _over(switch, repetition.full_power_time_s, power))
    over_s = end_s - switch.on_s
    lacking_s = over_s - source.samples.integral(switch.on_s, end_s) / usual.mean
    lost_s = _undelayed(lacking_s, source, 1.0, switch.on_s, end_s)
    missing_j = _missing(power, full.mean, full.mean - repetition.resting.mean, switch.on_s, end_s)
    start_j = Bracket(full.mean * lost_s.low, full.mean * lost_s.high).minus(missing_j)
    return replace(repetition, full_rate_time_s=at_rate_s, lost_output_s=lost_s, start_energy_j=start_j)
