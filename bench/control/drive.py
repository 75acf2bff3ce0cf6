"""The driver: it observes, lets the brain decide, stores the decision, sends what passed, and sleeps."""

import asyncio
import signal
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AsyncExitStack, contextmanager
from dataclasses import replace
from typing import Any

from bench.control.clock import Clock
from bench.control.decision.looks import as_if
from bench.control.decision.terms import Intended, Setup
from bench.control.decision.tick import Decision, Tick
from bench.control.driving.eyes import Eyes
from bench.control.driving.figures import Figures
from bench.control.driving.hands import COMMAND_S, Hands
from bench.control.driving.run import Ending, Run
from bench.control.inputs import open_inputs
from bench.control.log.audit import AUDIT_FILE, last_row
from bench.control.log.requests import taken
from bench.control.log.session import Session
from bench.levers.journal import Journal
from bench.levers.registry import open_device
from bench.live import serve_page
from sites.control.model import Inputs, UnitView

Tell = Callable[[Mapping[str, Any]], None]
"""What is done with the flat fields of each cycle."""

RESTORE_S = 1800.0  # [s] without any progress after which a restore ends and lists what is left


async def drive(  # noqa: PLR0913 (the options of a run)
    run: Run,
    clock: Clock,
    tell: Tell,
    *,
    cycles: int | None = None,
    page_port: int | None = None,
    started: Callable[[int], None] | None = None,
) -> Ending:
    """Control a site until it is stopped, and return how it ended.

    Parameters
    ----------
    run
        What to control, and how.
    clock
        The clock.
    tell
        Called with the flat fields of each cycle.
    cycles
        Number of cycles; None for no end.
    page_port
        Port of the live page; None for no page.
    started
        Called with the port of the page.

    Raises
    ------
    InputError
        A lever, a meter or an input cannot be opened, or another controller of this site runs.
    RunFailedError
        The disk refuses the log or the journal; nothing is sent after that.
    """
    async with AsyncExitStack() as stack:
        driver = await _opened(run, clock, tell, stack)
        if page_port is not None:
            page = asyncio.ensure_future(serve_page(run.folder / AUDIT_FILE, page_port, started))
            stack.push_async_callback(_ended, page)
        stop = asyncio.Event()
        stack.enter_context(_signals(stop))
        ending = await driver.run_until(stop, cycles)
        driver.session.note("end", reason=ending.reason, at_s=clock.now_s())
        return ending


async def _opened(run: Run, clock: Clock, tell: Tell, stack: AsyncExitStack) -> "_Driver":
    watched = Watched(run.setup)
    opening = {
        "control_sha256": run.control_sha256, "mode": run.mode, "mode_reason": run.mode_reason,
        "simulated": run.simulated, "restoring": run.restoring,
    }  # fmt: skip
    before = last_row(run.folder)
    session = stack.enter_context(Session(run.folder, watched.setup, run.plan, run.rules, opening=opening))
    journal = stack.enter_context(Journal(run.who)) if run.sends else None
    levers = {name: open_device(device) for name, device in run.devices.items()}
    eyes = Eyes(run.setup, levers, run.feeder)
    stack.push_async_callback(eyes.close)
    inputs = open_inputs(run.inputs, clock.now_s, session.inputs)
    stack.callback(inputs.close)
    hands = None if journal is None else Hands(journal, levers, run.devices)
    if hands is not None:
        hands.refuse_unknown(session.memory, run.folder)
    return _Driver(run, clock, tell, session, watched, eyes, inputs, hands, before)


async def _ended(task: "asyncio.Future[None]") -> None:
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


class Watched:
    """A setup whose policy tells what it intended last; the driver shows it and decides nothing by it."""

    def __init__(self, setup: Setup) -> None:
        self.intended = Intended({})
        self._policy = setup.policy
        self.setup = replace(setup, policy=self._watch)

    def _watch(self, inputs: Inputs, views: Sequence[UnitView], now_s: float) -> Intended:
        self.intended = self._policy(inputs, views, now_s)
        return self.intended


class _Driver:
    """The open parts of a run."""

    def __init__(  # noqa: PLR0913, PLR0917 (the parts of a run)
        self, run: Run, clock: Clock, tell: Tell, session: Session, watched: Watched, eyes: Eyes, inputs: Any,
        hands: Hands | None, before: Mapping[str, Any] | None,
    ) -> None:  # fmt: skip
        self.session = session
        self._run, self._clock, self._tell, self._watched = run, clock, tell, watched
        self._eyes, self._inputs, self._hands = eyes, inputs, hands
        self._figures = Figures(run, before)
        self._progress_s: float | None = None  # [s, Unix] of the last command or change of a restore
        self._listed: dict[str, str] = {}

    async def run_until(self, stop: asyncio.Event, cycles: int | None) -> Ending:
        """Make cycles until one of the ends."""
        count, reason = 0, ""
        while not reason:
            now_s = self._clock.now_s()
            if self._run.expires_s is not None and now_s >= self._run.expires_s:
                reason = "expired"
                break
            decision = await self._cycle(now_s)
            count += 1
            if self._run.restoring:
                reason = await self._restored(decision, now_s)
            if not reason and cycles is not None and count >= cycles:
                reason = "done"
            if not reason and await self._stopped(stop, now_s):
                reason = "stopped"
        await self._collect(COMMAND_S)
        halt = self.session.memory.halt
        return Ending(reason, count, "" if halt is None else halt.code, dict(self._listed))

    async def _cycle(self, now_s: float) -> Decision:
        """Observe, decide, store, send."""
        session, run = self.session, self._run
        answers = await self._collect()
        looks = await self._eyes.looks(session.memory, session.looks, now_s)
        feeder = await self._eyes.feeder(now_s)
        tick = Tick(
            now_s=now_s,
            inputs=self._inputs.now(now_s),
            looks=looks,
            answers=answers,
            barred=self._hands.barred(now_s) if self._hands is not None else {},
            feeder=feeder,
            resumed_by=taken(run.folder),
            restoring=run.restoring,
        )
        if not run.sends:
            tick = as_if(run.setup, session.memory, tick)
        memory, decision = session.decide(tick)
        row = self._figures.row(looks, feeder, tick.inputs, self._watched.intended, memory, decision, now_s)
        session.commit(row)
        if self._hands is not None:
            self._hands.send(decision.commands, memory, now_s)
        self._tell(row)
        return decision

    async def _collect(self, wait_s: float = 0.0) -> dict[str, Any]:
        """Return the replies that came in, after they are stored."""
        if self._hands is None:
            return {}
        answers = await self._hands.answers(wait_s)
        if answers:
            self.session.answered(answers)
        return {name: answer.reply for name, answer in answers.items()}

    async def _stopped(self, stop: asyncio.Event, now_s: float) -> bool:
        """Sleep until the next cycle; return whether the run was stopped meanwhile."""
        sleep = asyncio.ensure_future(self._clock.sleep_until(now_s + self._run.setup.tick_s))
        stopped = asyncio.ensure_future(stop.wait())
        await asyncio.wait((sleep, stopped), return_when=asyncio.FIRST_COMPLETED)
        for task in (sleep, stopped):
            task.cancel()
        await asyncio.gather(sleep, stopped, return_exceptions=True)
        return stop.is_set()

    async def _restored(self, decision: Decision, now_s: float) -> str:
        """Take what is as it was found out of the journal; return the reason if the restore has ended."""
        hands = self._hands
        if hands is None:
            return "restored"
        if decision.commands or decision.changes or self._progress_s is None:
            self._progress_s = now_s
        units = self.session.memory.units
        self._listed = {}
        for name in hands.listed:
            unit = units.get(name)
            why = "not_yet" if unit is None or unit.touched else await hands.brought_back(name)
            if why:
                self._listed[name] = (unit.released if unit is not None else "") or why
        if not self._listed:
            return "restored"
        return "not_restored" if now_s - self._progress_s > RESTORE_S else ""


@contextmanager
def _signals(stop: asyncio.Event) -> Iterator[None]:
    """Let Ctrl-C, SIGTERM and SIGHUP stop the run after the cycle that is under way; one that is ignored stays so."""
    loop = asyncio.get_running_loop()
    every = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
    kinds = tuple(kind for kind in every if signal.getsignal(kind) is not signal.SIG_IGN)
    try:
        for kind in kinds:
            loop.add_signal_handler(kind, stop.set)
    except (RuntimeError, ValueError):  # not the main thread: whoever runs it there stops it
        kinds = ()
    try:
        yield
    finally:
        for kind in kinds:
            loop.remove_signal_handler(kind)
