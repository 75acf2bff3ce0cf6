"""Hosts whose clocks are off by a known amount, run at another rate and wander, behind a network of unequal delays."""

import math
from dataclasses import dataclass, field

from bench.lab.clocks.exchange import Exchange, HostClock

CONTROLLER_S = 5_000.0  # the controller's monotonic clock at the true time 0
UTC_S = 1_780_000_000.0  # UTC at the true time 0


@dataclass
class SimulatedHost:
    """A host: its monotonic clock as a function of the true time [s]."""

    offset_s: float
    rate_frac: float = 0.0
    wander_frac: float = 0.0  # amplitude of its rate around the mean
    wander_period_s: float = 600.0
    utc_off_s: float = 0.0
    boot_id: str = "boot-1"
    asleep: list[tuple[float, float]] = field(default_factory=list)  # true times at which its clock stood still

    def monotonic_s(self, t_s: float) -> float:
        turn = 2.0 * math.pi / self.wander_period_s
        wander_s = self.wander_frac / turn * (1.0 - math.cos(turn * t_s))
        slept_s = sum(min(t_s, end) - start for start, end in self.asleep if t_s > start)
        return self.offset_s + (1.0 + self.rate_frac) * t_s + wander_s - slept_s

    def read(self, t_s: float) -> HostClock:
        return HostClock(UTC_S + t_s + self.utc_off_s, self.monotonic_s(t_s), self.boot_id)


def exchanges(host, random, at_s, *, out_s, back_s, count=8):
    """Exchanges with a host from a true time on; each delay is its least value and a random part of the same size."""
    made = []
    for _ in range(count):
        there_s = at_s + out_s * (1.0 + random.expovariate(1.0))
        here_s = there_s + back_s * (1.0 + random.expovariate(1.0))
        sent_s, received_s = CONTROLLER_S + at_s, CONTROLLER_S + here_s
        made.append(Exchange(sent_s, received_s, UTC_S + at_s, host.read(there_s), "controller-boot"))
        at_s = here_s
    return made
