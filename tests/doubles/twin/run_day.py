"""One random day in memory: the brain of the controller decides, units obey or lie, and all is written down.

No socket, no thread and no clock: a tick brings looks and readings, `step` decides, and what passes is applied. A crash
loses what was not on disk: the memory of the tick, or the answers, or commands that were not sent yet.
"""

import json
from dataclasses import dataclass, field

from bench.control.decision.looks import look
from bench.control.decision.memory import Memory, UnitMemory
from bench.control.decision.step import step
from bench.control.decision.terms import Intended, Setup
from bench.control.decision.tick import FeederReading, Tick
from bench.twin.lies import Telemetry
from bench.twin.memory import MemoryLever
from bench.twin.phases import Phase
from doubles.twin.days import DAY_S
from sites.control.intent import intent
from sites.control.model import OFF, ON, Inputs, Price
from sites.control.plan import Plan, PlanBlock, PlanPart
from sites.control.rules import Fallback, Rules


@dataclass
class Sent:
    at_s: float
    unit: str
    level: str
    true_w: float  # before the command


@dataclass
class Trace:
    """What happened in a day."""

    sent: list = field(default_factory=list)
    ticks: list = field(default_factory=list)  # (tick, memory before, memory after, decision)
    highest: list = field(default_factory=list)  # time, true power at the feeder, possible power, units if above
    reports: list = field(default_factory=list)  # at each tick: metered, true power at the feeder, halt, codes
    telemetry: dict = field(default_factory=dict)  # unit: times at which it showed what is not so
    final: Memory = field(default_factory=Memory)
    end_s: float = 0.0


def run(day, stepped=step, *, keep=False):
    """Return the trace of a day; `stepped` is the brain, and `keep` keeps what a replay needs."""
    return Run(day, stepped, keep=keep).all()


class Run:
    """A day under way."""

    def __init__(self, day, stepped, *, keep):
        self.day, self.stepped, self.keep = day, stepped, keep
        self.now_s = day.start_s
        self.levers = {unit.name: MemoryLever(unit, lambda: self.now_s) for unit in day.units}
        self.setup, self.trace, self.memory, self.inputs = setup_of(day), Trace(), Memory(), Inputs()
        self.answers, self.before, self.settings, self.down_until_s = {}, {}, {}, 0.0

    def all(self):
        while self.now_s < self.day.start_s + DAY_S:
            self.day.feeder.advance(self.now_s)
            if self.now_s >= self.down_until_s:
                self._cycle()
            self._go_on(self.day.tick_s * self.day.random.uniform(0.9, 1.1))
        self.trace.final, self.trace.end_s = self.memory, self.now_s
        return self.trace

    def _cycle(self):
        day, random = self.day, self.day.random
        tick = self._tick()
        after, decision = self.stepped(self.setup, self.memory, tick)
        self.trace.ticks.append((tick, self.memory, after, decision) if self.keep else (self.now_s, decision))
        metered = tick.feeder is not None
        self.trace.reports.append((metered, day.feeder.power_w(self.now_s), decision.halted, decision.codes))
        count, crashed = len(decision.commands), random.random() < day.crashes
        if crashed:
            self.down_until_s = self.now_s + random.choice([0.0, 600.0, 7200.0])
            lost = random.random() < 0.3  # before the line of the log: then nothing was sent
            after, count = (self.memory, 0) if lost else (after, random.randint(0, count))
        self.memory, self.answers = after, {}
        for command in decision.commands[:count]:
            answer = self._send(command)
            if not crashed:
                self.answers[command.unit] = answer.reply

    def _tick(self):
        day, now_s = self.day, self.now_s
        self.inputs = _inputs(day, now_s, self.inputs)
        looks = {}
        for name, lever in self.levers.items():
            if day.random.random() < 0.005:
                continue  # the look was lost
            known = self.memory.units.get(name) or UnitMemory()
            looks[name] = look(lever, day.terms[name], known, lever.seen(now_s), now_s, self.before.get(name))
        self.before = {**self.before, **looks}
        return Tick(
            now_s=now_s, inputs=self.inputs, looks=looks, answers=self.answers, feeder=_reading(day, now_s),
            resumed_by=_resumed(day, self.memory), restoring=now_s >= day.restore_s,
        )  # fmt: skip

    def _send(self, command):
        lever = self.levers[command.unit]
        setting = self.settings.setdefault(command.unit, {"level_w": lever.unit.level_w(self.now_s)})
        self.trace.sent.append(Sent(self.now_s, command.unit, command.level, lever.unit.power_w(self.now_s)))
        if command.restores:
            return lever.bring_back(setting, self.now_s)
        return lever.apply(command.level, self.now_s)

    def _go_on(self, seconds):
        day, from_s = self.day, self.now_s
        self.now_s += seconds
        day.feeder.advance(self.now_s)
        power_w, at_s = day.feeder.highest_w(from_s, self.now_s)
        over = power_w > day.limits.feeder_w
        units_w = {unit.name: unit.power_w(at_s) for unit in day.units} if over else {}
        self.trace.highest.append((at_s, power_w, _possible_w(day, at_s), units_w))
        for unit in day.units:
            if unit.telemetry is Telemetry.FROZEN:  # nobody can see through any other; the rest must be unknown
                self.trace.telemetry.setdefault(unit.name, []).append(self.now_s)


def setup_of(day):
    """Return the terms of a day."""
    return Setup(
        site="random", policy=_policy(day), limits=day.limits, units=day.terms, tick_s=day.tick_s,
        lost_telemetry_s=day.lost_telemetry_s, verify_s=day.verify_s, permit=day.permit,
    )  # fmt: skip


def _possible_w(day, at_s):
    """Return what the feeder may come to carry without a command, once units have booted and passed plateaus [W]."""
    units_w = 0.0
    for unit in day.units:
        kind, steady = unit.kind, unit.phase(at_s) in {Phase.MINING, Phase.SLEEP}
        most_w = unit.level_w(at_s) * (1.0 if steady else kind.highest_w / kind.full_w)
        units_w += max(unit.power_w(at_s), most_w)
    return day.feeder.at_feeder_w(units_w)


def replayed(day, trace):
    """Return the decisions that the same ticks give again."""
    setup = setup_of(day)
    return [step(setup, memory, tick)[1] for tick, memory, _, _ in trace.ticks]


def _reading(day, now_s):
    if day.verify_s is None or int(now_s // 1800) % 11 == day.seed % 11:  # the meter is lost at times
        return None
    at_s, power_w = day.meter.reading(now_s)
    return FeederReading(at_s, power_w)


def _resumed(day, memory):
    return "a person" if memory.halt is not None and day.random.random() < day.tick_s / 7200.0 else ""


def _inputs(day, now_s, before):
    """Return prices and targets; a feed that is down leaves what was known."""
    answer = day.market.answer(now_s) if now_s // 900 != day.market_s // 900 else None
    day.market_s, prices = now_s, before.prices
    if answer is not None:
        rows = {row[0]: row for row in json.loads(answer)["intervals"] if row[2] is not None}
        prices = tuple(Price(row[2], row[0], row[1], now_s, "twin") for row in rows.values())
    targets = tuple(one for one in day.targets if one.start_s <= now_s < one.end_s)
    return Inputs(prices=prices, targets=targets)


def _policy(day):
    return _adversary(day) if day.adversarial else _planned(day)


def _adversary(day):
    """Return a policy without sense: other levels every few minutes, for random units in a random order."""
    period_s = 300.0 * (1 + day.seed % 7)

    def policy(_inputs, views, now_s):
        turn = int(now_s // period_s)
        levels = {}
        for view in sorted(views, key=lambda one: hash((day.seed, turn, int(one.unit.name[1:])))):
            draw = hash((day.seed, turn, int(view.unit.name[1:]))) % 100
            names = [level.name for level in view.unit.levels]
            if draw < 80:
                levels[view.unit.name] = OFF if draw < 30 else names[draw % len(names)] if draw < 50 else ON
        return Intended(levels=levels)

    return policy


def _planned(day):
    room_w = max(0.0, day.limits.feeder_w * (1.0 - day.limits.losses_frac) - day.limits.other_w)
    fallback = [Fallback.HOLD, Fallback.CURTAIL][day.seed % 2]
    rules = Rules(fallback, fallback, fallback, stale_price_s=1800.0, units_mw=room_w / 1e6)
    plan = _plan(day)

    def policy(inputs, views, now_s):
        wish = intent(plan, rules, inputs, views, now_s)
        return Intended(wish.levels, wish.codes, wish.plan_w, wish.intended_w)

    return policy


def _plan(day):
    full_mw = sum(one.unit.full_w for one in day.terms.values()) / 1e6
    steps = 25

    def flat(value):
        return (float(value),) * steps

    worth = 30.0 + day.seed % 60
    block = PlanBlock("miners", "mining", full_mw, flat(full_mw), None, ())
    part = PlanPart(0, "", False, False, False, flat(full_mw), flat(full_mw), flat(worth))
    return Plan(
        site="random", start_s=int(day.start_s), step_s=3600, availability_frac=1.0, contract_mw=0.0,
        spot_usd_per_mwh=flat(40), resale_usd_per_mwh=flat(0), adder_usd_per_mwh=flat(0), forgone_usd_per_mwh=flat(0),
        price_usd_per_mwh=flat(40), room_mw=flat(2 * full_mw), bound=("interconnect",) * steps, battery_mw=flat(0),
        may_export=False,
        mining_meter_per_device=flat(1), gpu_meter_per_device=flat(1), blocks=(block,), parts=(part,),
    )  # fmt: skip
