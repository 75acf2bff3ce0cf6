"""Canaan Avalon: soft off and soft on, and work modes, on port 4028; one connection at a time.

`softoff` and `softon` carry the Unix time at which they act, so the miner's clock must be right. After `softon` the
miner closes the connection without an answer: that is no refusal, and only a look tells what became of it. Whether a
work mode restarts the miner differs between models.

References
----------
Canaan, Avalon API: `ascset`. 256foundation/asic-rs: time 5 s ahead, the closed connection of `softon`.
"""

import asyncio
import re
import time
from collections.abc import Mapping

from bench.levers.miners.device.lever import WORKS, MinerLever
from bench.levers.miners.device.line import OPTIONS, Line, RefusedError, open_line
from bench.levers.miners.device.looking import Look
from bench.levers.protocol import Setting
from bench.levers.registry import LeverKind
from bench.levers.wire import NoReplyError
from bench.miners.families import avalon as family
from bench.miners.link import CGMINER
from bench.miners.reply import Reply, Section, section
from bench.network.errors import ReadFailedError
from sites.control.model import OFF, ON, Level

PAUSE_S = 0.05  # [s] between two connections: the firmware serves one at a time
AHEAD_S = 5  # [s] from the command to the time that it names
WRITE_S = 15.0  # [s] longest time of one write
_TARGET_FRAC = 0.3  # the power of the setting is that of the supply's output
_MODE = re.compile(r"mode([0-9])")


class Avalon(MinerLever):
    """An Avalon."""

    def __init__(self, line: Line) -> None:
        super().__init__(line)
        self._version: Reply | None = None
        self._figures = "estats"
        self._quiet_until_s = 0.0  # [s, monotonic]

    async def _look(self) -> Look:
        try:
            return await self._read()
        except ReadFailedError:
            self._version = None  # another unit may be there afterwards
            raise

    async def _read(self) -> Look:
        if self._version is None:
            self._version = await self._ask("version")
            if not family.recognise(self._version.document):
                raise ReadFailedError("not an Avalon", "other_family")
        figures, fields = await self._fields()
        reading = family.parse({"version": self._version, figures.name: figures})
        version = section({"": self._version}, "", "VERSION", 0)
        mode = fields.text("WORKMODE")
        self._list_modes(mode)
        return Look(
            reading=reading,
            identity=version.text("MAC", "DNA") or None,
            off=_off(fields),
            level=f"mode{mode}" if mode else None,
            changing="" if reading.mode.hashing is not False or _off(fields) else "starting",
            clocks=(fields.get("Elapsed"), section({"": figures}, "", "STATS", 0).get("Elapsed"),
                    section({"": figures}, "", "STATUS", 0).get("When")),
            target_w=reading.mode.target_power_w,
            target_frac=_TARGET_FRAC,
            doubts=() if fields.values else ("malformed",),
        )  # fmt: skip

    async def _fields(self) -> tuple[Reply, Section]:
        """Return the reply with the figures, and these; firmware before 2019 has another command for them."""
        reply = await self._ask(self._figures, optional=self._figures == "estats")
        fields = family.fields_of({reply.name: reply})
        if not fields.values and self._figures == "estats":
            reply = await self._ask("stats")
            fields = family.fields_of({"stats": reply})
            self._figures = "stats" if fields.values else "estats"
        return reply, fields

    def _list_modes(self, mode: str) -> None:
        """List the modes up to the present one: a mode above it takes more power than the owner chose."""
        if len(self._levels) == 2 and mode.isdigit() and int(mode) < 10:
            self._levels = (Level(OFF), *(Level(f"mode{number}") for number in range(int(mode) + 1)))

    async def _setting(self) -> Setting | None:
        _, fields = await self._fields()
        off, mode = _off(fields), fields.text("WORKMODE")
        if off is None or not mode:
            return None
        return {WORKS: not off, "mode": mode}

    async def _set(self, level: str) -> str:
        _, fields = await self._fields()
        off = _off(fields)
        if level == OFF:
            return "nothing to send: the device is off" if off else await self._switch(on=False)
        match = _MODE.fullmatch(level)
        mode = match[1] if match else fields.text("WORKMODE")
        return await self._to_work(fields, mode)

    async def _bring_back(self, setting: Setting) -> str:
        mode = str(setting.get("mode"))
        _, fields = await self._fields()
        off = _off(fields)
        if off is None or not _MODE.fullmatch(f"mode{mode}"):
            raise RefusedError("the state or the stored mode is not known", "config_incomplete")
        if setting[WORKS]:
            return await self._to_work(fields, mode)
        says = await self._to_mode(fields, mode) if mode != fields.text("WORKMODE") else ""
        if not off:
            says = await self._switch(on=False)
        return says or "nothing to send: the device has this setting"

    async def _to_work(self, fields: Section, mode: str) -> str:
        """Wake the miner if it is off, and set a mode; an unanswered wake-up is reported after the mode was sent."""
        unanswered, says = None, ""
        if _off(fields):
            try:
                says = await self._switch(on=True)
            except NoReplyError as error:
                unanswered = error
        if mode != fields.text("WORKMODE"):
            says = await self._to_mode(fields, mode)
        if unanswered is not None:
            raise unanswered
        return says or "nothing to send: the device has this setting"

    async def _switch(self, *, on: bool) -> str:
        return await self._write(f"0,soft{'on' if on else 'off'},1:{int(time.time()) + AHEAD_S}")

    async def _to_mode(self, fields: Section, mode: str) -> str:
        """Set a mode; firmware that has levels within its modes wants one word more."""
        newer = "WORKLEVEL" in fields.values
        return await self._write(f"0,workmode,set,{mode}" if newer else f"0,workmode,{mode}")

    async def _write(self, parameter: str) -> str:
        await self._wait()
        request = {"command": "ascset", "parameter": parameter}
        try:
            reply = await self.line.ask("ascset", request, changes=True, timeout_s=WRITE_S)
        finally:
            self._quiet_until_s = time.monotonic() + PAUSE_S
        says = section({"": reply}, "", "STATUS", 0).text("Msg")
        if "success" not in says.lower() and "set ok" not in says.lower():
            raise RefusedError(says or "no success in the answer")
        return says

    async def _ask(self, name: str, *, optional: bool = False) -> Reply:
        await self._wait()
        try:
            return await self.line.ask(name, optional=optional)
        finally:
            self._quiet_until_s = time.monotonic() + PAUSE_S

    async def _wait(self) -> None:
        left_s = self._quiet_until_s - time.monotonic()
        if left_s > 0.0:
            await asyncio.sleep(left_s)

    def can(self, level: str) -> str | None:
        """Return why a level cannot be set."""
        return None if level in {OFF, ON} or _MODE.fullmatch(level) else self._why_not(level)

    def _level_of(self, setting: Setting) -> str | None:
        return f"mode{setting.get('mode')}"


def _off(fields: Section) -> bool | None:
    """Return whether the miner is soft off: it says so, or idles on firmware that does not say it."""
    soft = fields.text("SoftOFF")
    if soft:
        return soft != "0"
    state = fields.text("SYSTEMSTATU")
    return "In Idle" in state if state else None


def make(address: str, options: Mapping[str, str]) -> Avalon:
    """Return the lever of an Avalon."""
    return Avalon(open_line(address, options, CGMINER))


ENTRY = LeverKind(
    "avalon",
    "Canaan Avalon: soft off, soft on, work modes",
    "HOST or HOST:PORT (port 4028)",
    make,
    OPTIONS,
)
