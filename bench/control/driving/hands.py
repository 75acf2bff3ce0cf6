"""What is sent: a device as found is on the disk before its first command, and each command is sent once."""

import asyncio
from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path

from bench.control.decision.memory import Memory, UnitMemory
from bench.control.decision.tick import Command
from bench.errors import RunFailedError
from bench.levers.journal import Device, Entry, Journal
from bench.levers.protocol import Answer, Lever, Reply
from bench.levers.restore import is_same, send
from hardware_profiles.errors import InputError

COMMAND_S = 60.0  # [s] that a command may take: some devices answer after 21 s
BARRED_S = 600.0  # [s] for which a device that cannot be set is left alone, before it is tried again


class Hands:
    """The levers of the units that may be commanded, and the journal of what was found."""

    def __init__(self, journal: Journal, levers: Mapping[str, Lever], devices: Mapping[str, Device]) -> None:
        self._journal, self._levers, self._devices = journal, levers, devices
        self._entries = self._standing()
        self._barred: dict[str, tuple[str, float]] = {}
        self._open: dict[str, asyncio.Task[Answer]] = {}

    def _standing(self) -> dict[str, Entry]:
        """Return what an earlier run of this work found, and tell the levers of it."""
        by_way = {(entry.device.lever, entry.device.address): entry for entry in self._journal.mine()}
        entries = {
            name: by_way[way]
            for name, device in self._devices.items()
            if (way := (device.lever, device.address)) in by_way
        }
        for name, entry in entries.items():
            recall = getattr(self._levers[name], "recall", None)
            if recall is not None:
                recall(entry.setting)
        return entries

    def refuse_unknown(self, memory: Memory, folder: Path) -> None:
        """Raise InputError if the log does not know how units were found that an earlier run of this work moved."""
        lost = [
            name
            for name, entry in self._entries.items()
            if entry.level is not None and (name not in memory.units or memory.units[name].as_found != entry.level)
        ]
        if lost:
            others = f" and {len(lost) - 1} more" if len(lost) > 1 else ""
            raise InputError(
                f"{folder}: expected the log of the run that moved {lost[0]}{others} and did not bring it back, got "
                "one without it; name the results of that run (--out), or run `perwatt levers restore` first"
            )

    def barred(self, now_s: float) -> dict[str, str]:
        """Return the units that cannot be commanded now, with the code why."""
        self._barred = {name: (code, end_s) for name, (code, end_s) in self._barred.items() if end_s > now_s}
        return {name: code for name, (code, _) in self._barred.items()}

    def send(self, commands: Iterable[Command], memory: Memory, now_s: float) -> None:
        """Begin to send commands that are on the disk already; none waits for another one."""
        for command in commands:
            unit = memory.units[command.unit]
            self._open[command.unit] = asyncio.ensure_future(self._sent(command, unit, now_s))

    async def answers(self, wait_s: float = 0.0) -> dict[str, Answer]:
        """Return the answers that came in since; wait for those that are under way, at most `wait_s` [s]."""
        if wait_s and self._open:
            await asyncio.wait(self._open.values(), timeout=wait_s)
        done = {name: task for name, task in self._open.items() if task.done()}
        for name in done:
            del self._open[name]
        return {name: task.result() for name, task in done.items()}

    async def brought_back(self, name: str) -> str:
        """Take a unit out of the journal if it shows its former setting again; else return why not."""
        entry = self._entries.get(name)
        if entry is None:
            return ""
        if not is_same(await self._levers[name].as_found(), entry.setting):
            return "setting_differs"
        await asyncio.to_thread(self._journal.remove, entry.device)
        del self._entries[name]
        return ""

    @property
    def listed(self) -> tuple[str, ...]:
        """The units whose setting may differ from what was found."""
        return tuple(self._entries)

    async def _sent(self, command: Command, unit: UnitMemory, now_s: float) -> Answer:
        """Send one command, after what the device was found with is on the disk."""
        lever = self._levers[command.unit]
        try:
            entry = await self._entry(command.unit, unit)
            if entry is None:
                self._barred[command.unit] = ("as_found_unread", now_s + BARRED_S)
                return Answer(Reply.REFUSED, "what it was found with could not be read")
            if command.restores:
                return await lever.restore(entry.setting, COMMAND_S)
            return await send(lever, entry, command.level, COMMAND_S)
        except (InputError, RunFailedError) as error:
            self._barred[command.unit] = ("journal_refuses", now_s + BARRED_S)
            return Answer(Reply.REFUSED, str(error).partition("\n")[0])
        except Exception as error:  # noqa: BLE001 (the command may have worked)
            return Answer(Reply.SILENT, type(error).__name__)

    async def _entry(self, name: str, unit: UnitMemory) -> Entry | None:
        if name in self._entries:
            return self._entries[name]
        setting = await self._levers[name].as_found()
        if setting is None:
            return None
        device = replace(self._devices[name], identity=unit.identity)
        self._entries[name] = await asyncio.to_thread(self._journal.hold, device, setting, unit.as_found)
        return self._entries[name]
