"""The state of one machine: what it truly does, and what its firmware shows of it."""

import math
import time

HASHES_PER_DIFFICULTY = 2.0**48 / 65535.0
MODES = {"low": 0.7, "normal": 1.0, "high": 1.2}


class Unit:
    """A machine that hashes at a known rate, restarts, freezes, lies, tunes, pauses and changes its mode.

    Without a clock its time stands still until a test calls `run`.
    """

    def __init__(self, rate_h_s=100e12, power_w=3000.0, *, elapsed_s=7200.0, difficulty=65536.0, tuning_s=600.0,
                 clock=None):  # fmt: skip
        self._clock = clock or (lambda: self._time_s)
        self._time_s = 1e6
        self.rate_now_h_s, self.power_now_w = rate_h_s, power_w
        self.difficulty, self.tuning_s = difficulty, tuning_s
        self.mode, self.paused, self.display_factor = "normal", False, 1.0
        self.restarts = 0
        self._frozen_s = None
        self._started_s = self._now_s() - elapsed_s
        self._hashes, self._counted_s = 0.0, self._started_s

    def run(self, seconds):
        """Let time pass for a unit without a clock."""
        self._time_s += seconds

    def restart(self):
        """Begin again: counters at zero, tuning anew."""
        self.restarts += 1
        self._started_s = self._counted_s = self._now_s()
        self._hashes = 0.0

    def freeze(self):
        """Show from now on what is shown now, while the machine goes on."""
        self.count()
        self._frozen_s = self._now_s()

    def lie(self, factor):
        """Show a rate that is so many times the true one."""
        self.display_factor = factor

    def pause(self, paused=True):
        """Stop hashing, or go on."""
        self.count()
        self.paused = paused

    def change_mode(self, mode):
        """Take another mode, which restarts the mining program."""
        self.mode = mode
        self.restart()

    def count(self):
        """Add the hashes since the last count."""
        now_s = self._now_s()
        self._hashes += self.true_rate_h_s * (now_s - self._counted_s)
        self._counted_s = now_s

    def _now_s(self):
        return self._clock() if self._frozen_s is None else self._frozen_s

    @property
    def true_rate_h_s(self):
        return 0.0 if self.paused else self.rate_now_h_s * MODES[self.mode]

    @property
    def elapsed_s(self):
        return self._now_s() - self._started_s

    @property
    def tuning(self):
        return self.elapsed_s < self.tuning_s

    @property
    def shown_h_s(self):
        """The rate that the firmware shows."""
        return self.true_rate_h_s * self.display_factor

    @property
    def power_w(self):
        return 30.0 if self.paused else self.power_now_w * MODES[self.mode]

    @property
    def hashes(self):
        return self._hashes + self.true_rate_h_s * (self._now_s() - self._counted_s)

    @property
    def mean_shown_h_s(self):
        """The mean since the restart that the firmware shows."""
        return self.hashes / self.elapsed_s * self.display_factor if self.elapsed_s else 0.0

    @property
    def accepted(self):
        """Accepted shares: the hashes over the hashes of a share, without chance."""
        return math.floor(self.hashes / (self.difficulty * HASHES_PER_DIFFICULTY))

    @property
    def accepted_difficulty(self):
        return self.accepted * self.difficulty

    def over_whole_window_h_s(self, window_s):
        """The rate of a firmware that divides by the whole window from the start on."""
        return self.shown_h_s * min(self.elapsed_s / window_s, 1.0)


def live(**settings):
    """Return a unit whose time passes."""
    return Unit(clock=time.monotonic, **settings)
