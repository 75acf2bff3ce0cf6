"""The feeder of simulated units, and the wall meter that reads it late, seldom and with a scale of its own."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from bench.twin.unit import Unit


@dataclass(frozen=True, slots=True)
class Overhead:
    """What a feeder carries besides its units."""

    other_w: float = 0.0  # [W] lights, pumps and network, always
    fans_frac: float = 0.0  # [-] power of the site's fans as a share of that of the units
    loss_frac: float = 0.0  # [-] share of the feeder's power that cables and transformers lose


class Feeder:
    """The sum of the true powers of its units, with fans and losses."""

    def __init__(self, units: Sequence[Unit], overhead: Overhead = Overhead()) -> None:
        self.units, self.overhead = units, overhead

    def power_w(self, at_s: float) -> float:
        """Return the true power at a time that is not later than the latest one at which its units were looked at [W].

        Everything that happens to the units by then must have happened: `advance` comes first.
        """
        return self.at_feeder_w(sum(unit.power_w(at_s) for unit in self.units))

    def at_feeder_w(self, units_w: float) -> float:
        """Return the power at the feeder for a power of all its units [W]."""
        carried_w = units_w * (1.0 + self.overhead.fans_frac) + self.overhead.other_w
        return carried_w / (1.0 - self.overhead.loss_frac)

    def energy_j(self, at_s: float, since_s: float) -> float:
        """Return the true energy since the start [J]."""
        units_j = sum(unit.energy_j(at_s) for unit in self.units)
        carried_j = units_j * (1.0 + self.overhead.fans_frac) + self.overhead.other_w * max(0.0, at_s - since_s)
        return carried_j / (1.0 - self.overhead.loss_frac)

    def advance(self, now_s: float) -> None:
        """Let everything happen to the units that is due by now."""
        for unit in self.units:
            unit.advance(now_s)

    def highest_w(self, from_s: float, to_s: float) -> tuple[float, float]:
        """Return the highest power between two times and when it was [W], [s, Unix].

        It is looked for where a phase begins or ends and at both times. Between these a sum of first-order lags may be
        a little higher only while one unit rises as another falls.
        """
        times = {from_s, to_s}
        for unit in self.units:
            for start_s in unit.changes(from_s, to_s):
                times |= {start_s, max(from_s, math.nextafter(start_s, -math.inf))}
        return max((self.power_w(at_s), at_s) for at_s in times)


class WallMeter:
    """A meter at the feeder, with its own period, delay and scale, so that loop and meter can disagree.

    Parameters
    ----------
    feeder
        What it meters.
    period_s
        Time between two of its values [s].
    lag_s
        How old a value is when it first shows [s]; less than the 15 minutes of the units' memory.
    scale
        What it shows as a multiple of the truth [-].
    """

    def __init__(self, feeder: Feeder, *, period_s: float = 1.0, lag_s: float = 0.0, scale: float = 1.0) -> None:
        self._feeder, self.period_s, self.lag_s, self._scale = feeder, period_s, lag_s, scale
        self._start_s: float | None = None
        self._latest: tuple[float, float] | None = None  # time and power of the value that it shows

    def reading(self, now_s: float) -> tuple[float, float]:
        """Return the time of the value that the meter shows, and its power [s, Unix], [W]."""
        at_s = self._shown_s(now_s)
        if self._latest is None or self._latest[0] < at_s:
            self._feeder.advance(now_s)
            self._latest = (at_s, self._scale * self._feeder.power_w(at_s))
        return self._latest

    def energy_j(self, now_s: float) -> float:
        """Return the energy that the meter shows [J], which it counts from its first reading."""
        at_s = self._shown_s(now_s)
        self._feeder.advance(now_s)
        return self._scale * self._feeder.energy_j(at_s, self._start_s or 0.0)

    def _shown_s(self, now_s: float) -> float:
        at_s = math.floor((now_s - self.lag_s) / self.period_s) * self.period_s
        if self._start_s is None:
            self._start_s = at_s
        return at_s
