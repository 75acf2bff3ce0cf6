"""A controller of a few units in memory that is killed at any of its points of input and output, and started again.

A point is passed before and after each write of the log, the snapshot and the journal, around each command, and before
each look. From the point of the kill on nothing gets through, as from a process that does not exist any more.
"""

import asyncio
from contextlib import contextmanager

from bench.control import drive as driving
from bench.control.decision.terms import Limits, Permit, Setup, UnitTerms
from bench.control.driving import eyes
from bench.control.driving.run import Run
from bench.control.inputs import InputTables
from bench.control.log import session, stored
from bench.control.log.audit import AuditLog
from bench.control.policy import policy_of
from bench.levers.journal import Device, Journal
from bench.twin.kinds import KINDS
from bench.twin.memory import MemoryLever
from bench.twin.unit import Unit as TwinUnit
from sites.control.model import OFF, ON, Inputs, Level, Price, Unit
from sites.control.plan import Plan, PlanBlock, PlanPart
from sites.control.rules import Fallback, Rules

START_S = 1_780_000_200.0
DEAR_S, CHEAP_S, END_S = START_S + 600.0, START_S + 2700.0, START_S + 5400.0
TICK_S = 60.0
FULL_W = KINDS["luxos-s19"].full_w
LIMITS = Limits(
    feeder_w=7 * FULL_W, ramp_w_per_min=3 * FULL_W, units_per_wave=2, wave_interval_s=60.0, min_on_s=300.0,
    min_off_s=300.0, commands_per_hour=6, fleet_frac=0.5, overshoot_frac=0.05, other_w=0.0, losses_frac=0.0,
)  # fmt: skip
RULES = Rules(Fallback.HOLD, Fallback.HOLD)


class KilledError(BaseException):
    """What a process that is killed does not see."""


class Killer:
    """Counts points, and kills at one of them."""

    def __init__(self):
        self.at, self.passed, self.dead = 0, 0, False

    def arm(self, at):
        self.at, self.passed, self.dead = at, 0, False

    def point(self):
        self.passed += 1
        if self.dead or self.passed == self.at:
            self.dead = True
            raise KilledError


class SteppedClock:
    """A clock that goes on when it is slept by, once every command under way has ended."""

    simulated = True

    def __init__(self, site):
        self.site, self.at_s = site, START_S

    def now_s(self):
        return self.at_s

    async def sleep_until(self, at_s):
        under_way = [task for task in asyncio.all_tasks() if task.get_coro().__qualname__ == "Hands._sent"]
        if under_way:
            await asyncio.wait(under_way)
        self.at_s = max(self.at_s, at_s)
        self.site.seen[self.at_s] = self.site.levels_w()


class CountedLever(MemoryLever):
    """A lever in memory that may be killed before and after everything that it does."""

    def __init__(self, unit, site):
        super().__init__(unit, lambda: site.clock.at_s)
        self.site = site

    async def observe(self, now_s):
        self.site.killer.point()
        return await super().observe(now_s)

    def apply(self, level, now_s):
        return self._sent(level, lambda: MemoryLever.apply(self, level, now_s))

    def bring_back(self, setting, now_s):
        return self._sent(ON, lambda: MemoryLever.bring_back(self, setting, now_s))

    def _sent(self, level, send):
        self.site.killer.point()
        self.site.sent.append((self.site.clock.at_s, self.unit.name, level))
        answer = send()
        self.site.killer.point()
        return answer


class KilledSite:
    """Five units that work and one that is off, under a controller that is killed."""

    def __init__(self, folder):
        self.folder, self.killer, self.clock = folder, Killer(), SteppedClock(self)
        kind = KINDS["luxos-s19"]
        self.units = {
            f"m{n}": TwinUnit(f"m{n}", kind, seed=3, start_s=START_S - 86_400.0, awake=n != 4) for n in range(6)
        }
        self.sent, self.seen = [], {}
        levels = (Level(OFF, kind.asleep_w), Level(ON, kind.full_w, kind.full_rate_per_s))
        self.terms = {name: UnitTerms(Unit(name, "miners", levels, 400.0, 60.0)) for name in self.units}

    def levels_w(self):
        return {name: unit.level_w(self.clock.at_s) for name, unit in self.units.items()}

    def run_of(self, *, restoring=False):
        permit = Permit(frozenset(self.units), 10 * FULL_W)
        setup = Setup("test", policy_of(PLAN, RULES), LIMITS, self.terms, TICK_S, 200.0, 300.0, permit)
        devices = {name: Device("memory", name) for name in self.units}
        tables = InputTables(None, (), self.folder / "control.toml", self.folder / "inputs")
        return Run(
            setup, PLAN, RULES, devices, tables, "modbus:in-memory", "0" * 64, self.folder / "armed", "test", True,
            restoring=restoring,
        )  # fmt: skip

    def until(self, end_s, *, restoring=False):
        """Drive the controller until a time, or until it has restored; return how it ended."""
        cycles = 200 if restoring else max(1, round((end_s - self.clock.at_s) / TICK_S))
        run = self.run_of(restoring=restoring)
        return asyncio.run(driving.drive(run, self.clock, lambda _: None, cycles=cycles))

    def inputs_of(self, now_s):
        dear = DEAR_S <= now_s < CHEAP_S
        start_s = now_s // 300.0 * 300.0
        return Inputs((Price(900.0 if dear else 5.0, start_s, start_s + 300.0, start_s, "test"),))


def _flat(value):
    return (float(value),) * 3


PLAN = Plan(
    site="test", start_s=int(START_S) // 3600 * 3600, step_s=3600, availability_frac=1.0, contract_mw=0.0,
    spot_usd_per_mwh=_flat(40), resale_usd_per_mwh=_flat(0), adder_usd_per_mwh=_flat(0), forgone_usd_per_mwh=_flat(0),
    price_usd_per_mwh=_flat(40), room_mw=_flat(1), bound=("interconnect",) * 3, battery_mw=_flat(0), may_export=False,
    mining_meter_per_device=_flat(1), gpu_meter_per_device=_flat(1),
    blocks=(PlanBlock("miners", "mining", 6 * FULL_W / 1e6, _flat(6 * FULL_W / 1e6), None, ()),),
    parts=(PlanPart(0, "", False, False, False, _flat(6 * FULL_W / 1e6), _flat(6 * FULL_W / 1e6), _flat(60)),),
)  # fmt: skip


class _Meter:
    def __init__(self, site):
        self.site = site

    def read_once(self):
        now_s = self.site.clock.at_s
        return sum(unit.power_w(now_s) for unit in self.site.units.values()), None, ()

    def disconnect(self):
        pass


class _Inputs:
    def __init__(self, site):
        self.now = site.inputs_of

    def close(self):
        pass


@contextmanager
def in_memory(site, monkeypatch):
    """Put the units, the meter and the prices of a site in place of sockets, and points around what is written."""
    point = site.killer.point
    with monkeypatch.context() as patch:
        patch.setattr(driving, "open_device", lambda device: CountedLever(site.units[device.address], site))
        patch.setattr(driving, "open_inputs", lambda *_: _Inputs(site))
        patch.setattr(eyes, "_opened", lambda _: _Meter(site))
        write = AuditLog._write

        def torn(log, content, at):
            point()
            if site.killer.passed + 1 == site.killer.at:
                write(log, content[: len(content) // 2], at)
            point()
            write(log, content, at)
            point()

        patch.setattr(AuditLog, "_write", torn)
        for owner, name in ((stored, "write_snapshot"), (Journal, "hold"), (Journal, "remove")):
            patch.setattr(owner, name, _between(getattr(owner, name), point))
        assert session.stored is stored
        yield


def _between(function, point):
    def between(*arguments):
        point()
        done = function(*arguments)
        point()
        return done

    return between
