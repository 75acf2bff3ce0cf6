"""A simulated unit on a simulated clock, switched by the course of a ramp and read by a wall meter."""

from bench.levers.held import Clock as LookClock
from bench.levers.held import HeldLever
from bench.levers.journal import Device
from bench.meters.protocol import MeterInfo, MeterKind, Reading, Tier
from bench.ramp.course import Clock, Course, Ramp, Terms
from bench.ramp.rule import Meter, Rule
from bench.twin.feeder import Feeder, WallMeter
from bench.twin.kinds import KINDS
from bench.twin.memory import MemoryLever
from bench.twin.unit import Unit

RULE = Rule()


class Bench:
    """A simulated unit on a simulated clock, with a wall meter that is polled each second of it."""

    def __init__(self, kind: str = "luxos-s19", *, lag_s: float = 0.0, period_s: float = 1.0, **unit) -> None:
        self.now_s = 1_000.0
        self.unit = Unit("unit-1", KINDS[kind], seed=3, **unit)
        self.meter = WallMeter(Feeder([self.unit]), period_s=period_s, lag_s=lag_s)
        self.late = Meter(period_s + 1.0, 0.0, lag_s)
        self.readings: list[tuple[float, float]] = []
        self.lever = MemoryLever(self.unit, lambda: self.now_s)
        self.said: list[str] = []
        self.interrupt_at: int | None = None

    def sleep(self, seconds: float) -> None:
        """Let simulated time pass, with a reading each second."""
        end_s = self.now_s + seconds
        while self.now_s < end_s:
            self.now_s = min(end_s, self.now_s + 1.0)
            self.readings.append((self.now_s, self.meter.reading(self.now_s)[1]))
            if self.interrupt_at is not None and len(self.readings) >= self.interrupt_at:
                self.interrupt_at = None
                raise KeyboardInterrupt

    def all_readings(self) -> list[Reading]:
        """Return the readings as a meter gives them."""
        return [Reading(t_s, 1.8e9 + t_s, watts) for t_s, watts in self.readings]

    @property
    def info(self) -> MeterInfo:
        """The description of the meter."""
        period_s = self.late.period_s
        return MeterInfo("wall", MeterKind.POWER, "wall", Tier.B, 0.01, "stated", period_s, poll_s=1.0)

    def ramp(self, held: HeldLever, **terms) -> Ramp:
        """Return the work."""
        given = {"repeats": 2, "off_s": 90.0, "wait_s": 2000.0, "look_s": 5.0, "rule": RULE, **terms}
        device = Device("memory", "unit-1", {}, "simulated:unit-1")
        return Ramp(
            held,
            device,
            Terms(**given),
            lambda: self.readings,
            Clock(lambda: self.now_s, self.sleep),
            self.said.append,
        )

    def carry_out(self, **terms) -> Course:
        """Switch the unit."""
        with HeldLever(self.lever, LookClock(lambda: self.now_s, self.sleep)) as held:
            return self.ramp(held, **terms).carry_out()
