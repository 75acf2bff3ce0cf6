"""AxeOS of the Bitaxe boards: paused and resumed where the firmware has that, and clocks from its own list.

A clock is set with the core voltage that is there. Only clocks up to the present one are listed: a higher one may need
a higher voltage. The settings go to the flash memory; older firmware takes them only at its next restart, which the
clock then shows.

References
----------
bitaxeorg/ESP-Miner: `PATCH /api/system`, `/api/system/asic`, `/api/system/pause` and `resume`; issue 1953 (a unit that
does not come back after an outage of its pool).
"""

from collections.abc import Mapping

from bench.levers.miners.device.levels import MOST_LEVELS, value_of
from bench.levers.miners.device.lever import WORKS, MinerLever
from bench.levers.miners.device.line import OPTIONS, Line, RefusedError, open_line
from bench.levers.miners.device.looking import Look
from bench.levers.protocol import Setting
from bench.levers.registry import LeverKind
from bench.miners.families import axeos as family
from bench.miners.link import WEB
from bench.miners.parsing.nested import scaled
from bench.miners.reply import Reply, Section, section
from bench.miners.values import number, numbers
from bench.network.errors import ReadFailedError
from hardware_profiles.errors import shown
from sites.control.model import OFF, ON, Level

_KEYS = ("frequency", "coreVoltage")


class AxeOS(MinerLever):
    """A Bitaxe or a NerdAxe board."""

    writes_flash = True

    def __init__(self, line: Line) -> None:
        super().__init__(line)
        self._clocks_mhz: tuple[int, ...] | None = None
        self._pauses = False

    async def _look(self) -> Look:
        info = await self._info()
        if self._clocks_mhz is None:
            await self._learn(info)
        reading = family.parse({"info": Reply("info", document=dict(info.values))})
        frequency = info.number("frequency")
        return Look(
            reading=reading,
            identity=info.text("macAddr") or None,
            off=bool(info.truth("miningPaused") or info.truth("shutdown")),
            level=None if frequency is None else f"{round(frequency)}MHz",
            fault=bool(info.text("power_fault") or info.text("hardware_fault") or info.truth("overheat_mode")),
            clocks=(info.get("uptimeSeconds"),),
            expected_per_s=scaled(info.number("expectedHashrate"), 1e9) or None,
        )

    async def _info(self) -> Section:
        reply = await self.line.web("info", "/api/system/info")
        if not family.recognise(reply.document):
            raise ReadFailedError("not AxeOS", "other_family")
        info = section({"info": reply}, "info")
        self._pauses = info.truth("miningPaused") is not None
        return info

    async def _learn(self, info: Section) -> None:
        """Read the list of clocks, and keep those up to the present one."""
        try:
            asic = section({"": await self.line.web("asic", "/api/system/asic")}, "")
        except RefusedError:  # firmware before 2.5 has none
            asic = Section("", {})
        now = info.number("frequency")
        clocks = sorted({round(clock) for clock in numbers(asic.get("frequencyOptions")) if now and clock <= now})
        self._clocks_mhz = tuple(clocks)
        off = (Level(OFF),) if self._pauses else ()
        named = clocks if len(clocks) <= MOST_LEVELS else clocks[:: -(-len(clocks) // MOST_LEVELS)]
        if clocks and clocks[-1] not in named:
            named = [*named[1:], clocks[-1]]
        self._levels = (*off, *(Level(f"{clock}MHz") for clock in named)) if named else (*off, Level(ON))

    async def _setting(self) -> Setting | None:
        info = await self._info()
        if self._clocks_mhz is None:
            await self._learn(info)
        values = {key: info.number(key) for key in _KEYS}
        if None in values.values():
            return None
        return {WORKS: not (info.truth("miningPaused") or info.truth("shutdown")), **values}

    async def _set(self, level: str) -> str:
        now = await self._now()
        if level == OFF:
            return await self._paused(now, pause=True)
        clock, says = value_of(level, "MHz"), ""
        if clock is not None and clock != now["frequency"]:
            says = await self._patch({"frequency": clock})
        return await self._paused(now, pause=False) if not now[WORKS] else says or "nothing to send"

    async def _bring_back(self, setting: Setting) -> str:
        now, says = await self._now(), ""
        stored = {key: value for key in _KEYS if (value := number(setting.get(key))) is not None}
        differing = {key: value for key, value in stored.items() if value != now[key]}
        if differing:
            says = await self._patch(differing)
        if setting[WORKS] != now[WORKS]:
            says = await self._paused(now, pause=not setting[WORKS])
        return says or "nothing to send: the device has this setting"

    async def _now(self) -> Setting:
        now = await self._setting()
        if now is None:
            raise RefusedError("clock and voltage were not read", "config_incomplete")
        return now

    async def _patch(self, values: Mapping[str, float]) -> str:
        whole = {key: round(value) if value == round(value) else value for key, value in values.items()}
        await self.line.web("system", "/api/system", method="PATCH", body=whole, changes=True)
        return "the clock is stored"

    async def _paused(self, now: Setting, *, pause: bool) -> str:
        if now[WORKS] != pause:
            return "nothing to send: the device has this setting"
        if not self._pauses:
            raise RefusedError("this version cannot be paused", "unknown_level")
        word = "pause" if pause else "resume"
        await self.line.web(word, f"/api/system/{word}", method="POST", body={}, changes=True)
        return f"{word} is accepted"

    def can(self, level: str) -> str | None:
        """Return why a level cannot be set."""
        if level == OFF and self._clocks_mhz is not None and not self._pauses:
            return "unknown_level: this version of the firmware cannot be paused"
        return super().can(level)

    def _why_not(self, level: str) -> str | None:
        clock = value_of(level, "MHz")
        if clock is None or not self._clocks_mhz:
            return super()._why_not(level)
        if clock in self._clocks_mhz:
            return None
        listed = ", ".join(f"{known}MHz" for known in self._clocks_mhz)
        return f"unknown_level: expected one of {listed}, got {shown(level)}"

    def _level_of(self, setting: Setting) -> str | None:
        frequency = setting.get("frequency")
        return f"{round(frequency)}MHz" if isinstance(frequency, int | float) else None


def make(address: str, options: Mapping[str, str]) -> AxeOS:
    """Return the lever of a Bitaxe or NerdAxe board."""
    return AxeOS(open_line(address, options, WEB))


ENTRY = LeverKind(
    "axeos",
    "AxeOS of Bitaxe and NerdAxe: pause and resume, clocks up to the present one; writes flash",
    "HOST or HOST:PORT (port 80)",
    make,
    OPTIONS,
)
