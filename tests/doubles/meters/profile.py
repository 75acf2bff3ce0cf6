"""A load of steps, ramps and noise that repeats after each window, with a mean that is known exactly."""

import numpy as np

STEP_S = 0.05  # [s] the power is constant for so long


class Profile:
    """Ten stretches, each a step or a ramp to another power, with 3 % of noise."""

    def __init__(self, seed, start_s, period_s, gain=1.0):
        random = np.random.default_rng(seed)
        count = round(period_s / STEP_S)
        edges = np.sort(random.choice(np.arange(1, count), 9, replace=False))
        power_w, level_w = np.empty(count), random.uniform(2500.0, 5500.0)
        for first, last in zip([0, *edges], [*edges, count], strict=True):
            before_w, level_w = level_w, random.uniform(2500.0, 5500.0)
            ramp = random.random() < 0.5
            power_w[first:last] = np.linspace(before_w, level_w, last - first) if ramp else level_w
        self.steps_w = power_w * (1.0 + 0.03 * random.standard_normal(count))
        self.start_s, self.gain = start_s, gain
        self.mean_w = float(self.steps_w.mean())  # [W] what a meter without error reads over whole periods

    def power_w(self, t_s):
        """Return the power that the meter sees, whose gain is its own error [W]."""
        return self.gain * float(self.steps_w[int((t_s - self.start_s) / STEP_S) % len(self.steps_w)])
