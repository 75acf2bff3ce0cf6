"""The lever of everything else: a command of the user that reads one JSON document and answers with another.

The command is started anew for each request, in a process group of its own, with a time and an output that are bounded.
It reads `{"schema": "perwatt.hook/1", "do": "observe", ...}` on its standard input:

- `observe`: answers `{"state": "running" | "off" | "changing" | "fault" | "unknown", "level": ...}` and, if it knows
  them, `identity`, `power_w`, `power_kind`, `rate_per_s` and `hottest_c`.
- `as_found`: answers `{"setting": {...}}`, what it needs to bring back what is there now.
- `to` with `level`, and `restore` with `setting`: answers `{"accepted": true}` or `{"accepted": false, "says": ...}`.
"""

import json
import re
import shlex
import shutil
from collections.abc import Mapping
from typing import Any

from bench.credentials import scrub_text
from bench.levers.judging import judge
from bench.levers.protocol import Answer, Evidence, Observation, Reply, Setting
from bench.levers.registry import LeverKind
from bench.machine.processes import Done, run_bounded
from bench.network.http import number_of
from hardware_profiles.decoding import is_decimal
from hardware_profiles.errors import InputError, shown
from sites.control.model import OFF, ON, Level, UnitState

SCHEMA = "perwatt.hook/1"
TIMEOUT_S = 30.0
MOST_TIMEOUT_S = 3600.0
LIMIT_BYTES = 2**16
_LEVEL = re.compile(r"(?P<name>[A-Za-z0-9._%-]{1,40})(?::(?P<power>[0-9.]{1,12}))?")
_STARTS_NOT = 127  # as a shell answers


class Hook:
    """A device that a command of the user sets.

    Parameters
    ----------
    command
        Path and arguments.
    levels
        The levels, off first.
    timeout_s
        Longest time of one call [s].
    """

    writes_flash = False

    def __init__(self, command: tuple[str, ...], levels: tuple[Level, ...], timeout_s: float) -> None:
        self._command, self._levels, self._timeout_s = command, levels, timeout_s

    @property
    def levels(self) -> tuple[Level, ...]:
        """The levels that the user states."""
        return self._levels

    async def observe(self, now_s: float) -> Observation:
        """Return what the command says of the device."""
        document, fault = await self._ask("observe", self._timeout_s)
        state, level = document.get("state"), document.get("level")
        if fault is None and state not in set(UnitState):
            fault = f"no state in the answer: {shown(state)}"
        if fault is not None:
            return Observation(now_s, UnitState.UNKNOWN, reasons=("no_answer",))
        known = {level.name for level in self._levels}
        identity, kind = document.get("identity"), document.get("power_kind")
        return Observation(
            now_s,
            UnitState(str(state)),
            level=level if level in known else OFF if state == UnitState.OFF else None,
            identity=identity[:200] if isinstance(identity, str) and identity else None,
            power_w=number_of(document.get("power_w")),
            power_kind=kind[:40] if isinstance(kind, str) else "unknown",
            rate_per_s=number_of(document.get("rate_per_s")),
            hottest_c=number_of(document.get("hottest_c")),
            reasons=("unknown_level",) if level is not None and level not in known else (),
        )

    async def as_found(self) -> Setting | None:
        """Return the setting that the command needs for a restore."""
        document, fault = await self._ask("as_found", self._timeout_s)
        setting = document.get("setting")
        return setting if fault is None and isinstance(setting, dict) else None

    def can(self, level: str) -> str | None:
        """Return why a level cannot be set: it is not one of those that the user states."""
        names = [known.name for known in self._levels]
        return None if level in names else f"unknown_level: one of {', '.join(names)}"

    async def to(self, level: str, deadline_s: float) -> Answer:
        """Let the command set a level."""
        if refusal := self.can(level):
            return Answer(Reply.REFUSED, refusal)
        return await self._tell("to", deadline_s, level=level)

    def confirm(self, level: str, seen: Observation, now_s: float) -> Evidence:
        """Judge an observation."""
        return judge(level, seen, now_s)

    async def restore(self, setting: Setting, deadline_s: float) -> Answer:
        """Let the command bring back a setting that it returned."""
        return await self._tell("restore", deadline_s, setting=dict(setting))

    async def close(self) -> None:
        """Do nothing: no command outlives its call."""

    async def _tell(self, do: str, deadline_s: float, **more: Any) -> Answer:
        timeout_s = min(deadline_s, self._timeout_s)
        done = await self._run({"do": do, "deadline_s": timeout_s, **more}, timeout_s)
        if done.status == _STARTS_NOT and not done.output:
            return Answer(Reply.REFUSED, _fault(done))
        document = _document(done)
        if document is None or not isinstance(document.get("accepted"), bool):
            return Answer(Reply.SILENT, _fault(done))
        says = document.get("says")
        words = scrub_text(" ".join(says.split())[:200]) if isinstance(says, str) else ""
        return Answer(Reply.ACCEPTED if document["accepted"] else Reply.REFUSED, words)

    async def _ask(self, do: str, timeout_s: float) -> tuple[dict[str, Any], str | None]:
        """Return the answer to a question, and its fault if there is none."""
        done = await self._run({"do": do}, timeout_s)
        document = _document(done)
        if done.status != 0 or document is None:
            return {}, _fault(done)
        return document, None

    async def _run(self, request: Mapping[str, Any], timeout_s: float) -> Done:
        text = json.dumps({"schema": SCHEMA, **request}, allow_nan=False)
        return await run_bounded(self._command, text.encode() + b"\n", timeout_s, LIMIT_BYTES)


def _document(done: Done) -> dict[str, Any] | None:
    try:
        document = json.loads(done.output)
    except (ValueError, RecursionError):
        return None
    return document if isinstance(document, dict) else None


def _fault(done: Done) -> str:
    """Return in one line why there is no answer."""
    last = next((line.strip() for line in reversed(done.errors.split("\n")) if line.strip()), "")
    why = "it was stopped" if done.status is None else f"exit status {done.status}"
    return scrub_text(f"no answer of the command: {why}{f': {last[:200]}' if last else ''}")


def parse_levels(text: str, place: str = "levels") -> tuple[Level, ...]:
    """Return the levels of a text such as `off:30 eco:1800 on:3300`, names with their power [W] if it is known.

    Raises
    ------
    InputError
        A word is not a level, one is stated twice, or `off` is not the first.
    """
    levels = []
    for word in text.split():
        match = _LEVEL.fullmatch(word)
        if match is None or not is_decimal(match["power"] or "0"):
            raise InputError.at("key", place, expected="levels such as off:30 on:3300, with watts", got=word)
        levels.append(Level(match["name"], None if match["power"] is None else float(match["power"])))
    named = [level.name for level in levels]
    if len(named) < 2 or named[0] != OFF or len(set(named)) < len(named):
        raise InputError.at("key", place, expected="off first, then one or more others, each once", got=text)
    return tuple(levels)


def _make(address: str, options: Mapping[str, str]) -> Hook:
    try:
        command = tuple(shlex.split(address))
    except ValueError as error:
        raise InputError.at("address", expected=f"a command ({error})", got=address) from None
    if not command or shutil.which(command[0]) is None:
        raise InputError.at("address", expected="a command that can be run, with its arguments", got=address)
    stated = options.get("timeout_s", str(TIMEOUT_S))
    if not is_decimal(stated) or not 0.0 < float(stated) <= MOST_TIMEOUT_S:
        raise InputError.at("key", "timeout_s", expected=f"seconds above 0, up to {MOST_TIMEOUT_S:g}", got=stated)
    return Hook(command, parse_levels(options.get("levels", f"{OFF} {ON}")), float(stated))


ENTRY = LeverKind(
    "hook", "a command of yours, for everything else", "a command with its arguments", _make, ("levels", "timeout_s")
)
