"""One run of the controller on its log: it decides, and every decision is on the disk before anybody acts on it.

What the controller knows is the fold of `step` over its log. A snapshot of it, beside the log, only spares the next run
the beginning; a run that was killed between the two loses nothing.
"""

from contextlib import ExitStack
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any, Self

from bench.control.decision.memory import Memory
from bench.control.decision.step import step
from bench.control.decision.terms import Setup
from bench.control.decision.tick import Decision, Look, Tick
from bench.control.log import stored
from bench.control.log.audit import AUDIT_FILE, AuditLog
from bench.control.log.coding import Terms, decision_document, tick_document
from bench.control.log.fold import folded
from bench.levers.protocol import Answer, Reply
from sites.control.model import Inputs
from sites.control.plan import Plan
from sites.control.rules import Rules


class Session:
    """A run of the controller on the log of one folder.

    Parameters
    ----------
    folder
        The folder; no other process may have a session there.
    setup
        What the run is bound to.
    plan, rules
        Those of its policy.
    opening
        What the first line of the run says beyond them.

    Raises
    ------
    InputError
        Another process is at work, or a line of the log was changed.
    RunFailedError
        The disk refuses it.
    """

    def __init__(self, folder: Path, setup: Setup, plan: Plan, rules: Rules, opening: dict[str, Any]) -> None:
        self.folder, self.setup = folder, setup
        self._stack = ExitStack()
        self._log = self._stack.enter_context(AuditLog(folder / AUDIT_FILE))
        try:
            state = folded(self._log.path, stored.snapshot(folder), partial(stored.setup_of, folder))
            terms = stored.write_terms(folder, Terms.of(setup, plan, rules))
            stored.write_plan(folder, plan)
            self._log.append("start", {**opening, "plan_sha256": plan.sha256, "terms_sha256": terms})
            self._state = state._replace(plan_sha256=plan.sha256, terms_sha256=terms)
            self._keep()
        except BaseException:
            self._stack.close()
            raise

    def __enter__(self) -> Self:
        """Return the session."""
        return self

    def __exit__(self, *_: object) -> None:
        """Let other processes have a session."""
        self._stack.close()

    @property
    def memory(self) -> Memory:
        """What is known."""
        return self._state.memory

    @property
    def looks(self) -> dict[str, Look]:
        """Looks of the tick before."""
        return self._state.looks

    @property
    def inputs(self) -> Inputs | None:
        """Inputs of the tick before; None if there was none."""
        return self._state.inputs

    @property
    def answers(self) -> dict[str, Reply]:
        """Answers to the commands of the tick before, which the next tick takes in."""
        return self._state.answers

    def decide(self, tick: Tick) -> tuple[Memory, Decision]:
        """Return what is known after a tick and what is decided; nothing is written before `commit`.

        The answers to the commands before are those that `answered` was told, unless the tick has some.
        """
        self._tick = tick if tick.answers else replace(tick, answers=self.answers)
        self._decided = step(self.setup, self.memory, self._tick)
        return self._decided

    def commit(self, figures: dict[str, Any]) -> None:
        """Write what was decided and flush it to the disk; only then may a command be sent.

        Parameters
        ----------
        figures
            What the line says for people and pages, in front of tick and decision.

        Raises
        ------
        RunFailedError
            The disk refuses it; nothing may be sent.
        """
        tick, (memory, decision) = self._tick, self._decided
        content = {"tick": tick_document(tick, self.looks, self.inputs), "decision": decision_document(decision)}
        self._log.append("cycle", {**figures, **content})
        self._state = self._state._replace(memory=memory, looks=dict(tick.looks), inputs=tick.inputs, answers={})
        self._keep()

    def answered(self, answers: dict[str, Answer]) -> None:
        """Write what devices answered to the commands of this tick; none of it is an effect.

        Raises
        ------
        RunFailedError
            The disk refuses it.
        """
        if not answers:
            return
        rows = {name: [answer.reply.value, answer.says] for name, answer in answers.items()}
        self._log.append("answers", {"answers": rows})
        replies = {**self.answers, **{name: answer.reply for name, answer in answers.items()}}
        self._state = self._state._replace(answers=replies)

    def note(self, kind: str, **data: Any) -> None:
        """Write anything else: an end, an expiry, a setting that is back.

        Raises
        ------
        RunFailedError
            The disk refuses it.
        """
        self._log.append(kind, data)

    def _keep(self) -> None:
        stored.write_snapshot(self.folder, self._log.head, self._state)
