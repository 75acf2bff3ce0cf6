"""The samples of a log on the clock of a run; only those around a window become readings."""

import time
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
import numpy.typing as npt

from bench import limits
from bench.meters.logs import Log, Samples
from bench.meters.plausible import NOTHING, codes_of_power
from bench.meters.protocol import EnergyReading, Reading


@dataclass(frozen=True, slots=True)
class RunClock:
    """The clock of a stored run, and the span of the run on it."""

    shift_s: float  # [s] UTC, or the clock of the log, minus this clock
    first_s: float
    last_s: float
    bound_s: float = 0.0  # [s] by which the shift may be wrong
    rate_frac: float = 0.0  # [-] by which the two clocks may run apart within a window

    def judged(self, energy: EnergyReading) -> EnergyReading:
        """Return the energy of a window without joules if its edges are not known, else with what the rates cost."""
        if 2.0 * self.bound_s > limits.EDGE_FRAC * energy.duration_s:
            share = 2.0 * self.bound_s / energy.duration_s
            detail = f"the clocks are known to ± {self.bound_s:.2g} s, at both edges {share:.1%} of the window"
            return replace(energy.judged(("clock_uncertain",)), detail=detail)
        if energy.joules is None or not self.rate_frac:
            return energy
        return replace(energy, edges_j=(energy.edges_j or 0.0) + self.rate_frac * energy.joules)


class PlacedSamples:
    """The samples of a log on the clock of a run.

    Parameters
    ----------
    samples
        The samples, None without a log.
    clock_offset_s
        The log's clock minus UTC [s].
    shift_s
        UTC minus the run's clock [s].
    """

    def __init__(self, samples: Samples | None, clock_offset_s: float, shift_s: float) -> None:
        self._samples = samples if samples is not None else Samples(np.empty(0), np.empty(0))
        self._clock_offset_s, self._shift_s = clock_offset_s, shift_s

    @cached_property
    def _times_s(self) -> npt.NDArray[np.float64]:
        """The times [s, the run's clock]."""
        times_s = self._samples.times_s - self._clock_offset_s
        times_s -= self._shift_s
        return times_s

    def cover(self, t0: float, t1: float) -> bool:
        """Return whether there are samples at or before t0 and at or after t1."""
        return bool(len(self._times_s)) and bool(self._times_s[0] <= t0 and self._times_s[-1] >= t1)

    def between(self, first_s: float, last_s: float) -> tuple[int, int]:
        """Return the indices of the first sample of a span and of the one after its last."""
        return int(np.searchsorted(self._times_s, first_s)), int(np.searchsorted(self._times_s, last_s, side="right"))

    def readings(self, start: int, stop: int) -> list[Reading]:
        """Return the samples from one index to another."""
        readings = []
        for when, watts in self._samples[start:stop]:
            utc_s = when - self._clock_offset_s
            codes = codes_of_power(watts, NOTHING) if watts is not None else ("bad_sample",)
            readings.append(Reading(utc_s - self._shift_s, utc_s, watts, None, codes))
        return readings

    def around(self, t0: float, t1: float) -> list[Reading]:
        """Return the samples that the energy from t0 to t1 follows from.

        They reach from the last reading at or before t0 to the first at or after t1. One more, before them, shows
        whether the meter ever had another value.
        """
        times_s, power_w = self._times_s, self._samples.power_w
        start, stop = self.between(t0, t1)
        first = _last(~np.isnan(power_w[: np.searchsorted(times_s, t0, side="right")]))
        end = int(np.searchsorted(times_s, t1))
        later = ~np.isnan(power_w[end:])
        if later.any():
            stop = int(np.searchsorted(times_s, times_s[end + int(np.argmax(later))], side="right"))
        if first is None:
            return self.readings(start, stop)
        start = int(np.searchsorted(times_s, times_s[first]))
        before = power_w[:start]
        other = _last(~np.isnan(before) & (before != power_w[first]))
        return [*(self.readings(other, other + 1) if other is not None else ()), *self.readings(start, stop)]


def span_text(log: Log | None, clock_offset_s: float) -> str:
    """Return form, size and span of a log in words; its clock minus UTC is `clock_offset_s` [s]."""
    if log is None:
        return "no log"
    first, last = log.samples[0][0], log.samples[-1][0]
    utc = [time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(t - clock_offset_s)) for t in (first, last)]
    return f"{log.form} log of {len(log.samples)} samples, {utc[0]} to {utc[1]} after the offset"


def _last(flags: npt.NDArray[np.bool_]) -> int | None:
    """Return the index of the last true one, None if there is none."""
    return len(flags) - 1 - int(np.argmax(flags[::-1])) if flags.any() else None
