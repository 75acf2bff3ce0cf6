"""Whether a phase of a ramp is over, by the samples so far; pure."""

import math

from bench.ramp.repetition import full_band, least_step_w
from bench.ramp.rule import Rule
from bench.ramp.samples import Plateau, Samples, plateau

_STEADY_FRAC = 0.5  # of the share of a threshold, by which the halves of a plateau may differ
_REST_FRAC = 0.005  # [-] of the step, by which the halves of the resting power may differ
_LEAST_DROP_FRAC = 0.02  # [-] of the full power by which the resting power is lower, at least


def steady(samples: Samples, now_s: float, rule: Rule) -> Plateau | None:
    """Return the plateau up to now, or None if the level has not stood for its time."""
    last = plateau(samples.between(now_s - rule.plateau_s, now_s))
    if last is None or not samples.times_s or samples.times_s[0] > now_s - 0.95 * rule.plateau_s:
        return None
    limit = max(_STEADY_FRAC * rule.full_frac * abs(last.mean), rule.margin_sd * last.sd)
    return last if abs(last.drift) <= limit else None


def at_rest(samples: Samples, off_s: float, now_s: float, full: Plateau, rule: Rule) -> Plateau | None:
    """Return the resting power, or None as long as the power falls, or has not yet fallen.

    Parameters
    ----------
    samples
        Of the power, so far.
    off_s
        When the command to off was sent.
    now_s
        The present time, of the same clock.
    full
        The full power before it.
    rule
        The rule of the run.
    """
    last = steady(samples.between(off_s, now_s), now_s, rule)
    if last is None:
        return None
    step_w = full.mean - last.mean
    if step_w < max(_LEAST_DROP_FRAC * full.mean, rule.margin_sd * full.sd):
        return None
    later = plateau(samples.between(now_s - rule.plateau_s / 2.0, now_s))  # whose scatter has no tail of the way down
    if later is None or least_step_w(later, rule) <= step_w < least_step_w(last, rule):
        return None
    noise_w = 2.0 * rule.margin_sd * later.sd / math.sqrt(last.n)  # of the difference of two halves
    return last if abs(last.drift) <= max(_REST_FRAC * step_w, noise_w) else None


def at_full(  # noqa: PLR0913, PLR0917 (a phase, its time and its levels)
    samples: Samples, on_s: float, now_s: float, full: Plateau, resting: Plateau, rule: Rule
) -> bool:
    """Return whether every sample of the last plateau is certainly at full power."""
    last = samples.between(max(on_s, now_s - rule.plateau_s), now_s)
    if now_s - on_s < rule.plateau_s or plateau(last) is None:
        return False
    band_w, margin_w = full_band(full, full.mean - resting.mean, rule)
    return all(abs(watts - full.mean) < band_w - margin_w for watts in last.values)


def at_rate(rates: Samples, on_s: float, now_s: float, usual: Plateau | None, rule: Rule) -> bool:
    """Return whether the rate of the last plateau is full; true where the device shows no rate."""
    if usual is None:
        return True
    last = rates.between(max(on_s, now_s - rule.plateau_s), now_s)
    least = (1.0 - rule.rate_frac) * usual.mean + rule.margin_sd * usual.sd
    return bool(last.values) and min(last.values) > least
