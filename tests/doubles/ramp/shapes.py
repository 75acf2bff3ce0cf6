"""A simulated device whose ramps are known, and a wall meter that is late, averages and is noisy."""

from dataclasses import dataclass, replace

import numpy as np

from bench.ramp.repetition import Source, Switch
from bench.ramp.rule import Meter, Rule
from bench.ramp.samples import Samples

STEP_S = 0.02  # [s] of the grid on which the truth stands


@dataclass(frozen=True)
class Shape:
    """A device: what it draws, and how it goes down and up."""

    full_w: float = 3400.0
    resting_w: float = 30.0
    dead_s: float = 2.0  # from the command to off to the first change
    down_s: float = 3.0  # time constant of the way down
    boot_s: float = 20.0  # from the command to on to the first hash
    boot_w: float = 200.0
    boot_after_s: float = 1.0  # from the command to on to boot_w
    up_s: float = 15.0  # time constant of the way up, or time of the stairs
    stairs: int = 0
    overshoot_frac: float = 0.0
    tuning_frac: float = 0.0  # sine of 40 s on both levels of a device at work
    rate_lag_s: float = 0.0
    rate_per_s: float = 100e12

    def down_w(self, t_s):
        """Return the power after the command to off."""
        after = np.maximum(0.0, t_s - self.dead_s)
        return self.resting_w + (self.full_w - self.resting_w) * np.exp(-after / self.down_s)

    def share(self, t_s):
        """Return the share of the way from boot to full power, without tuning."""
        after = np.maximum(0.0, t_s - self.boot_s)
        if self.stairs:
            return np.where(
                t_s < self.boot_s, 0.0, np.minimum(1.0, (np.floor(after / self.up_s * self.stairs) + 1) / self.stairs)
            )
        rise = 1.0 - np.exp(-after / self.up_s)
        hump = self.overshoot_frac * (after / self.up_s) ** 2 * np.exp(2.0 - after / self.up_s * 2.0) * 1.0
        return np.where(t_s < self.boot_s, 0.0, rise + hump)

    def up_w(self, t_s):
        """Return the power after the command to on, without tuning."""
        boot = np.where(t_s < self.boot_after_s, self.resting_w, self.boot_w)
        return boot + (self.full_w - self.boot_w) * self.share(t_s)

    def rate(self, t_s):
        """Return the rate after the command to on."""
        return self.rate_per_s * np.minimum(1.0, self.share(t_s - self.rate_lag_s))


@dataclass(frozen=True)
class Wall:
    """A meter."""

    period_s: float = 1.0
    averaging_s: float = 1.0
    lag_s: float = 0.0
    poll_s: float = 0.5
    noise_w: float = 3.0

    @property
    def stated(self) -> Meter:
        """What is known of it."""
        return Meter(self.period_s, self.averaging_s, self.lag_s)

    def look(self, power_w, random, duration_s) -> Samples:
        """Return what polls of the meter show of a power on the grid."""
        sums = np.concatenate([[0.0], np.cumsum(power_w)])
        width = max(1, round(self.averaging_s / STEP_S))
        ends = np.arange(random.uniform(0.0, self.period_s), duration_s + self.period_s, self.period_s)
        last = np.clip(np.round((ends - self.lag_s) / STEP_S).astype(int), 0, len(power_w))
        first = np.maximum(0, last - width)
        shown = np.where(last > first, (sums[last] - sums[first]) / np.maximum(1, last - first), power_w[0])
        shown = np.round(shown + random.normal(0.0, self.noise_w, len(shown)), 1)
        polls = np.cumsum(self.poll_s * random.uniform(0.8, 1.2, int(duration_s / self.poll_s)))
        at = np.searchsorted(ends, polls, side="right") - 1
        return Samples.of((float(t), float(shown[k])) for t, k in zip(polls, at, strict=True) if k >= 0)


@dataclass(frozen=True)
class Session:
    """A simulated session and its truth."""

    switches: tuple[Switch, ...]
    power: Source
    rate: Source
    truth: dict[str, float]
    before_s: float


def session(
    shape: Shape, wall: Wall, random, *, repeats=3, scatter=0.02, watch_s=None, off_s=None, noise_frac=0.002
) -> Session:
    """Simulate a session; each repetition's ramps differ by `scatter`, the truth is that of the shape."""
    rule = Rule()
    before_s = rule.plateau_s + 20.0
    off_s = off_s or rule.plateau_s + 10 * shape.down_s + shape.dead_s + wall.stated.back_s
    watch_s = watch_s or shape.boot_s + 8 * shape.up_s + shape.rate_lag_s + rule.plateau_s + wall.stated.back_s
    pieces, rates, switches, start = [np.full(int(before_s / STEP_S), shape.full_w)], [], [], before_s
    rates.append(np.full(len(pieces[0]), shape.rate_per_s))
    for _ in range(repeats):
        slow = 1.0 + scatter * random.normal()
        own = replace(shape, down_s=shape.down_s * slow, boot_s=shape.boot_s * slow, up_s=shape.up_s * slow)
        down, up = np.arange(0.0, off_s, STEP_S), np.arange(0.0, watch_s, STEP_S)
        pieces += [own.down_w(down), own.up_w(up)]
        rates += [np.zeros(len(down)), own.rate(up)]
        switches.append(Switch(start, start + len(down) * STEP_S, start + (len(down) + len(up)) * STEP_S))
        start = switches[-1].end_s
    power, rate = np.concatenate(pieces), np.concatenate(rates)
    times = np.arange(len(power)) * STEP_S
    wobble = 1.0 + shape.tuning_frac * np.sin(2 * np.pi * times / 40.0 + random.uniform(0, 6.28))
    power = np.where(power > 0.8 * shape.full_w, power * wobble, power)
    rate = rate * wobble
    seen = wall.look(power, random, start)
    polls = np.arange(random.uniform(0, 2.0), start, 2.0)
    shown = rate[np.minimum((polls / STEP_S).astype(int), len(rate) - 1)]
    hashes = Samples.of(
        zip(polls.tolist(), (shown * (1 + noise_frac * random.normal(size=len(shown)))).tolist(), strict=True)
    )
    return Session(
        tuple(switches), Source(seen, wall.stated), Source(hashes, Meter(0.0, 0.0)), truth(shape, rule), before_s
    )


def truth(shape: Shape, rule: Rule) -> dict[str, float]:
    """Return the true figures by the rule, from the shape alone."""
    t_s = np.arange(0.0, shape.boot_s + 40 * (shape.up_s + shape.down_s) + shape.rate_lag_s, STEP_S)
    step_w = shape.full_w - shape.resting_w
    down_w, up_w, rate = shape.down_w(t_s), shape.up_w(t_s), shape.rate(t_s)
    lost_s = float(np.sum(1.0 - rate / shape.rate_per_s)) * STEP_S
    missing_j = float(np.sum(shape.full_w - up_w)) * STEP_S
    return {
        "off_time": _last(down_w >= shape.resting_w + rule.off_frac * step_w),
        "on_time": float(np.argmax(up_w >= shape.resting_w + rule.on_frac * step_w)) * STEP_S,
        "full_power_time": _last(np.abs(up_w - shape.full_w) >= rule.full_frac * step_w),
        "full_rate_time": _last(rate < (1.0 - rule.rate_frac) * shape.rate_per_s),
        "off_energy": float(np.sum(down_w - shape.resting_w)) * STEP_S,
        "lost_output_time": lost_s,
        "start_energy": shape.full_w * lost_s - missing_j,
        "resting_power": shape.resting_w,
        "full_power": shape.full_w,
    }


def _last(outside) -> float:
    return float(np.flatnonzero(outside)[-1] + 1) * STEP_S if outside.any() else 0.0
