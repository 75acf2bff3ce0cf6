"""Random days of a twin: site, limits, lies, prices, targets and crashes of the controller, all from one seed."""

from dataclasses import dataclass, field
from random import Random

from bench.control.decision.terms import Limits, Permit, UnitTerms
from bench.twin.feeder import Feeder, Overhead, WallMeter
from bench.twin.fleet import START_S
from bench.twin.kinds import KINDS, seeded
from bench.twin.lies import HONEST, MANY, SOME, Lies
from bench.twin.market import FAULTY_MARKET, HONEST_MARKET, Market
from bench.twin.unit import Unit as TwinUnit
from sites.control.model import OFF, ON, Level, LoadTarget, Unit

DAY_S = 86_400.0
OVERSHOOT_FRAC = 0.05
_SINGLE_LIES = (
    Lies(no_effect=0.3), Lies(late=0.3), Lies(closed=0.4), Lies(never_wakes=0.2), Lies(telemetry=4.0),
    Lies(phantom=3.0), Lies(offline=4.0), Lies(hangs=2.0), Lies(reboots=4.0, forgets_sleep=1.0), Lies(persons=4.0),
)  # fmt: skip


@dataclass
class Day:
    """What is drawn for one day, before anything happens."""

    seed: int
    random: Random
    units: list[TwinUnit]
    terms: dict[str, UnitTerms]
    limits: Limits
    lies: Lies
    tick_s: float
    lost_telemetry_s: float
    verify_s: float | None
    permit: Permit
    feeder: Feeder
    meter: WallMeter
    market: Market
    targets: list[LoadTarget]
    adversarial: bool  # whether levels are wished at random, not by the intent of a plan
    crashes: float  # probability of a tick
    as_found: dict[str, str] = field(default_factory=dict)
    market_s: float = 0.0  # when the feed was asked last

    @property
    def start_s(self):
        return START_S

    @property
    def restore_s(self):
        """Time from which every unit is to be brought back."""
        return START_S + DAY_S - 4.0 * 3600.0


def draw(seed, lies=None):
    """Return the day of a seed, with lies that are drawn or stated."""
    random = Random(f"day {seed}")
    drawn = random.choice([HONEST, HONEST, SOME, MANY, *_SINGLE_LIES])
    lies = drawn if lies is None else lies
    names = random.choices(list(KINDS), k=random.randint(2, 6))
    units, terms, as_found = [], {}, {}
    for index, name in enumerate(names):
        kind = seeded(KINDS[name], random)
        awake = random.random() < 0.85
        unit = TwinUnit(f"u{index}", kind, seed=seed, lies=lies, start_s=START_S, awake=awake)
        units.append(unit)
        terms[unit.name] = UnitTerms(_declared(unit, random))
        as_found[unit.name] = ON if awake else OFF
    tick_s = random.choice([120.0, 300.0, 300.0, 600.0, 600.0])
    overhead = Overhead(random.uniform(0.0, 3000.0), random.choice([0.0, 0.03]), random.choice([0.0, 0.02]))
    feeder = Feeder(units, overhead)
    meter = WallMeter(
        feeder,
        period_s=random.choice([1.0, 10.0, 60.0]),
        lag_s=random.choice([0.0, 5.0, 90.0]),
        scale=random.uniform(0.99, 1.01),
    )
    return Day(
        seed=seed, random=random, units=units, terms=terms, limits=_limits(units, terms, feeder, random), lies=lies,
        tick_s=tick_s, lost_telemetry_s=3.0 * tick_s, verify_s=random.choice([None, 900.0, 1800.0]),
        permit=_permit(terms, random), feeder=feeder, meter=meter,
        market=Market(seed, mean_usd_per_mwh=random.uniform(20.0, 90.0),
                      faults=random.choice([HONEST_MARKET, FAULTY_MARKET])),
        targets=_targets(terms, random), adversarial=random.random() < 0.6,
        crashes=random.choice([0.0, 0.01, 0.05]), as_found=as_found,
    )  # fmt: skip


def _declared(unit, random):
    """Return the unit as a control file declares it: its nameplate, which is a little above the truth."""
    full_w = KINDS[unit.kind.name].full_w
    levels = [Level(OFF, unit.kind.asleep_w, 0.0)]
    if random.random() < 0.4:
        between_w = round(0.8 * unit.kind.full_w)
        levels.append(Level(f"{between_w}W", float(between_w), unit.kind.rate_per_s(between_w)))
    levels.append(Level(ON, full_w, unit.kind.full_rate_per_s))
    return Unit(unit.name, "miners", tuple(levels), 1.3 * unit.kind.wake_s, 1.5 * unit.kind.down_s)


def _limits(units, terms, feeder, random):
    """Draw limits; that of the feeder may leave no room for an overshoot, or not even for what runs at the start."""
    fulls = [one.unit.full_w for one in terms.values()]
    loss_frac, fans_frac = feeder.overhead.loss_frac, feeder.overhead.fans_frac
    other_w = feeder.overhead.other_w + fans_frac * sum(fulls) * (1.0 + OVERSHOOT_FRAC)
    running = [one.unit.full_w for one, unit in zip(terms.values(), units, strict=True) if unit.level_w(START_S) > 0.0]
    asleep = [unit.kind.asleep_w for unit in units if unit.level_w(START_S) == 0.0]
    found_w = random.choice([0.5, 0.8, 1.0, 1.02, 1.05, 1.5]) * sum(running) + 1.1 * sum(asleep)
    feeder_w = (found_w + other_w) / (1.0 - loss_frac)
    return Limits(
        feeder_w=feeder_w,
        ramp_w_per_min=max(fulls) * (1.0 + OVERSHOOT_FRAC) * random.choice([1.0, 2.5, 10.0]),
        units_per_wave=random.randint(1, len(units)),
        wave_interval_s=random.choice([30.0, 300.0, 900.0]),
        min_on_s=random.choice([0.0, 600.0, 1800.0]),
        min_off_s=random.choice([0.0, 600.0, 3600.0]),
        commands_per_hour=random.choice([1, 3, 12]),
        fleet_frac=random.choice([0.5, 1.0]),
        overshoot_frac=OVERSHOOT_FRAC,
        other_w=other_w,
        losses_frac=loss_frac,
    )


def _permit(terms, random):
    owned = frozenset(name for name in terms if random.random() < 0.8)
    total_w = sum(one.unit.full_w for one in terms.values())
    return Permit(owned, total_w * random.choice([0.4, 1.0, 2.0]))


def _targets(terms, random):
    """Draw load targets of the day; the most that they allow is nothing, a part, or all."""
    full_mw = sum(one.unit.full_w for one in terms.values()) / 1e6
    starts = sorted(START_S + random.uniform(0.0, DAY_S) for _ in range(random.choice([0, 0, 2, 5])))
    return [
        LoadTarget(
            full_mw * random.choice([0.0, 0.5, 1.2]), start_s, start_s + random.uniform(600.0, 7200.0), start_s, "drawn"
        )
        for start_s in starts
    ]


def on_since(unit, from_s):
    """Return whether a person or a reboot switched a unit on since a time."""
    return any(at_s >= from_s for at_s, on in unit.by_hand if on)
