"""The lever of a Slurm node: drained, so that it takes no further job, and resumed.

A node counts as off once it is drained and idle; until its jobs end, it is between the two. Nothing is cancelled. What
an idle node draws depends on Slurm's own power saving. A node that somebody else drains meanwhile is left to them.

References
----------
SchedMD, scontrol: `show node`, `update NodeName=… State=DRAIN Reason=…`, `State=RESUME`.
"""

import re
import shutil
from collections.abc import Mapping

from bench.credentials import scrub_text
from bench.levers.judging import judge
from bench.levers.protocol import Answer, Evidence, Observation, Reply, Setting
from bench.levers.registry import LeverKind
from bench.machine.processes import Done, run_bounded
from hardware_profiles.errors import InputError, shown
from sites.control.model import OFF, ON, Level, UnitState

REASON = "perwatt"
CALL_S = 20.0  # [s] for one command
_LIMIT_BYTES = 2**16
_NODE = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,62}")
_STATE = re.compile(r"\bState=([A-Z_+*~#!%$@^-]+)")
_WHY = re.compile(r"^\s*Reason=(.*?)(?: \[[^\]]*\])?\s*$", re.MULTILINE)
_AT_WORK = frozenset({"ALLOCATED", "MIXED", "COMPLETING"})
_BROKEN = frozenset({"DOWN", "FAIL", "FAILING", "NOT_RESPONDING", "UNKNOWN", "FUTURE"})
_BETWEEN = frozenset({"POWERING_UP", "POWERING_DOWN", "REBOOT", "REBOOT_ISSUED", "CONFIGURING"})


class SlurmNode:
    """One node.

    Parameters
    ----------
    node
        Its name in Slurm.
    scontrol
        Path of the command.
    """

    writes_flash = False
    levels = (Level(OFF), Level(ON))

    def __init__(self, node: str, scontrol: str) -> None:
        self._node, self._scontrol = node, scontrol

    async def observe(self, now_s: float) -> Observation:
        """Ask Slurm for the state of the node."""
        states, _ = await self._show()
        if states is None:
            return Observation(now_s, UnitState.UNKNOWN, reasons=("no_answer",))
        if states & _BROKEN:
            return Observation(now_s, UnitState.FAULT, reasons=("fault_shown",))
        if states & _BETWEEN:
            return Observation(now_s, UnitState.CHANGING, reasons=("starting",))
        if "DRAIN" not in states:
            return Observation(now_s, UnitState.RUNNING, level=ON, identity=self._node)
        if states & _AT_WORK:
            return Observation(now_s, UnitState.CHANGING, identity=self._node, reasons=("jobs_run",))
        return Observation(now_s, UnitState.OFF, level=OFF, identity=self._node)

    async def as_found(self) -> Setting | None:
        """Return whether the node takes jobs."""
        states, _ = await self._show()
        return None if states is None else {"works": "DRAIN" not in states}

    def can(self, level: str) -> str | None:
        """Return why a level cannot be set."""
        return None if level in {OFF, ON} else "unknown_level: expected off or on"

    async def to(self, level: str, deadline_s: float) -> Answer:
        """Drain or resume the node."""
        if why := self.can(level):
            return Answer(Reply.REFUSED, why)
        return await self._switched(deadline_s, on=level == ON)

    def confirm(self, level: str, seen: Observation, now_s: float) -> Evidence:
        """Judge whether an observation shows the level."""
        return judge(level, seen, now_s)

    async def restore(self, setting: Setting, deadline_s: float) -> Answer:
        """Drain or resume the node as it was found."""
        if not isinstance(setting.get("works"), bool):
            return Answer(Reply.REFUSED, "config_incomplete: the stored setting does not say whether it took jobs")
        return await self._switched(deadline_s, on=setting["works"])

    async def close(self) -> None:
        """Do nothing: no command outlives its call."""

    async def _switched(self, deadline_s: float, *, on: bool) -> Answer:
        states, why = await self._show()
        if states is None:
            return Answer(Reply.REFUSED, f"no_answer: {why}")
        if ("DRAIN" not in states) == on:
            return Answer(Reply.ACCEPTED, "nothing to send: the node is so")
        if on and not why.startswith(REASON):
            return Answer(Reply.REFUSED, f"drained_by_others: {why or 'no reason stated'}")
        change = ("State=RESUME",) if on else ("State=DRAIN", f"Reason={REASON}")
        done = await self._run(("update", f"NodeName={self._node}", *change), deadline_s)
        if done.status is None:
            return Answer(Reply.SILENT, f"no_answer: {_fault(done)}")
        if done.status != 0:
            return Answer(Reply.REFUSED, f"refused: {_fault(done)}")
        return Answer(Reply.ACCEPTED, change[0])

    async def _show(self) -> tuple[frozenset[str] | None, str]:
        """Return the states of the node and the reason of its drain; None, and the fault, if they are not read."""
        done = await self._run(("show", "node", self._node), CALL_S)
        match = _STATE.search(done.output) if done.status == 0 else None
        if match is None:
            return None, _fault(done)
        reason = _WHY.search(done.output)
        # A mark at the end, such as `*`, says more of the same state.
        states = frozenset(re.sub(r"[^A-Z_]", "", word) for word in match[1].split("+"))
        marked = {"NOT_RESPONDING"} if "*" in match[1] else set()
        return states | marked, reason[1] if reason else ""

    async def _run(self, words: tuple[str, ...], timeout_s: float) -> Done:
        return await run_bounded((self._scontrol, *words), b"", timeout_s, _LIMIT_BYTES)


def _fault(done: Done) -> str:
    return scrub_text(" ".join((done.errors or done.output).split())[:200]) or "scontrol says nothing"


def make(address: str, _options: Mapping[str, str]) -> SlurmNode:
    """Return the lever of a node.

    Raises
    ------
    InputError
        The name is none, or Slurm's command is not on this machine.
    """
    if not _NODE.fullmatch(address):
        raise InputError.at("address", expected="the name of one node, as in slurm:gpu01", got=shown(address))
    scontrol = shutil.which("scontrol")
    if scontrol is None:
        raise InputError("address: expected scontrol on the path: run it on a host of the cluster")
    return SlurmNode(address, scontrol)


ENTRY = LeverKind("slurm", "Slurm node: drain and resume", "name of one node, as in slurm:gpu01", make)
