"""A unit of the twin that is swept in simulated time: its optimum is known, its meter and its shares scatter."""

import random

from bench.levers.held import Clock, HeldLever
from bench.levers.journal import Device
from bench.sweep.course import Sweep, Terms
from bench.twin.kinds import KINDS, seeded
from bench.twin.memory import MemoryLever
from bench.twin.unit import Unit
from doubles.sweep.records import a_visit
from sites.control.model import OFF, ON, Level

WINDOW_S, WINDOWS = 300.0, 3
METER_SD, SHARES_SD = 0.003, 0.005  # [-] scatter of a window's energy and of its counted work
DRIFT_PER_H = 0.004  # [1/h] of the energy, as a room that warms up
TERMS = Terms(dwell_s=900.0, settle_s=2700.0, back_s=5.0, look_s=30.0)


class SimulatedLever(MemoryLever):
    """The lever of a unit, all of whose times are simulated, with five operating points."""

    hottest_c = None

    @property
    def levels(self):
        kind = self.unit.kind
        step_w = (kind.full_w - kind.least_w) / 4.0
        between = [round(kind.least_w + i * step_w) for i in range(4)]
        return (Level(OFF, kind.asleep_w), *(Level(f"{w}W", float(w)) for w in between), Level(ON, kind.full_w))

    async def observe(self, _now_s):
        seen = self.seen(self._clock())
        return type(seen)(**{**{name: getattr(seen, name) for name in seen.__dataclass_fields__},
                             "hottest_c": self.hottest_c})  # fmt: skip


class Bench:
    """A seeded unit with its lever, its clock, and a way to measure it."""

    def __init__(self, seed, kind="luxos-s19"):
        self.random = random.Random(seed)
        self.now_s = 1_800_000_000.0
        self.unit = Unit("u", seeded(KINDS[kind], self.random), seed=seed, start_s=self.now_s)
        self.lever = SimulatedLever(self.unit, lambda: self.now_s)
        self.start_s, self.said, self.measured = self.now_s, [], []

    def pass_time(self, seconds):
        self.now_s += seconds
        self.unit.advance(self.now_s)

    def sweep(self, **parts):
        """The sweep of the unit; close its lever when it is over."""
        held = HeldLever(self.lever, Clock(lambda: self.now_s, self.pass_time))
        return Sweep(held, Device("luxos", "u"), parts.pop("terms", TERMS), self.said.append, **parts)

    def measure(self, level, _as_found, guard):
        """Measure as a meter and a count of shares would."""
        rates, powers, began_s = [], [], self.now_s
        for _ in range(WINDOWS):
            before_j, before_s = self.unit.energy_j(self.now_s), self.now_s
            for _ in range(3):
                self.pass_time(WINDOW_S / 3.0)
                guard.check()
            drift = 1.0 + DRIFT_PER_H * (self.now_s - self.start_s) / 3600.0
            joules = (self.unit.energy_j(self.now_s) - before_j) * drift
            powers.append(joules / (self.now_s - before_s) * self.random.gauss(1.0, METER_SD))
            rates.append(self.unit.rate_per_s(self.now_s - 1.0) * self.random.gauss(1.0, SHARES_SD))
        self.measured.append(level)
        return a_visit(level, began_s - self.start_s, rates, powers, number=len(self.measured), window_s=WINDOW_S)

    def best_level(self):
        """The level with the least energy per hash, by the formula of its kind."""
        kind = self.unit.kind
        powers = {level.name: level.power_w for level in self.lever.levels if level.name != OFF}
        return min(powers, key=lambda name: powers[name] / kind.rate_per_s(powers[name]))
