"""A whole twin: its units, feeder, wall meter, market and clock, all from one seed."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from random import Random

from bench.twin.clock import SimulatedClock
from bench.twin.feeder import Feeder, Overhead, WallMeter
from bench.twin.kinds import KINDS, seeded
from bench.twin.lies import HONEST, Lies
from bench.twin.market import FAULTY_MARKET, HONEST_MARKET, Market
from bench.twin.unit import Unit

START_S = 1_799_107_200.0  # 2027-01-05T00:00:00Z, a Tuesday in the year of the site that a twin writes
MOST_UNITS = 10_000
LOSS_FRAC = 0.02  # [-] of the feeder's power
_FANS_FRAC, _OTHER_W = 0.03, 2000.0


@dataclass(frozen=True, slots=True)
class TwinOptions:
    """What a person asks of a twin."""

    units: int = 20
    gpus: int = 0  # servers
    kinds: tuple[str, ...] = ("luxos-s19",)  # of the miners, by turns
    speed: float = 1000.0  # simulated seconds a real second; 0 is stepped over HTTP
    seed: int = 0
    lies: Lies = HONEST
    faulty_market: bool = False
    meter_period_s: float = 5.0  # [s] simulated
    meter_lag_s: float = 5.0  # [s] simulated
    meter_scale: float = 1.0


@dataclass(slots=True)
class Twin:
    """Everything that is simulated."""

    options: TwinOptions
    clock: SimulatedClock
    miners: list[Unit] = field(default_factory=list)
    servers: list[Unit] = field(default_factory=list)

    @property
    def units(self) -> list[Unit]:
        """All units, the miners first."""
        return [*self.miners, *self.servers]


def build(options: TwinOptions, clock: SimulatedClock | None = None) -> Twin:
    """Return a twin; the same options give the same one."""
    clock = clock or SimulatedClock(START_S, options.speed)
    twin = Twin(options, clock)
    width = len(str(max(options.units, options.gpus, 1)))
    make = _maker(options)
    twin.miners = [
        make(f"m{index:0{width}}", options.kinds[(index - 1) % len(options.kinds)])
        for index in range(1, options.units + 1)
    ]
    twin.servers = [make(f"g{index:0{width}}", "gpu-server") for index in range(1, options.gpus + 1)]
    return twin


def _maker(options: TwinOptions) -> Callable[[str, str], Unit]:
    def make(name: str, kind: str) -> Unit:
        random = Random(f"{options.seed}/{name}/kind")  # noqa: S311 (a simulation that must repeat)
        nature = seeded(KINDS[kind], random)
        return Unit(name, nature, seed=options.seed, lies=options.lies, start_s=START_S)

    return make


def feeder_of(twin: Twin) -> Feeder:
    """Return the feeder of a twin."""
    return Feeder(twin.units, Overhead(_OTHER_W, _FANS_FRAC, LOSS_FRAC))


def other_w(units: Iterable[Unit]) -> float:
    """Return the most that the feeder carries besides its units [W]."""
    return _OTHER_W + _FANS_FRAC * sum(unit.kind.highest_w for unit in units)


def meter_of(twin: Twin, feeder: Feeder) -> WallMeter:
    """Return the wall meter at the feeder of a twin."""
    options = twin.options
    return WallMeter(feeder, period_s=options.meter_period_s, lag_s=options.meter_lag_s, scale=options.meter_scale)


def market_of(twin: Twin) -> Market:
    """Return the market of a twin."""
    return Market(twin.options.seed, faults=FAULTY_MARKET if twin.options.faulty_market else HONEST_MARKET)
