"""VNish: stopped and started, and presets that are tuned, over its REST interface.

A preset that is not tuned starts a tuning run or does nothing, so only tuned ones are levels. While the firmware's own
preset switcher is on, it chooses the preset, and none is set. A preset may restart the mining program. Nothing here
touches the warranty commands.

References
----------
VNish (AnthillOS), REST API 1.3.4: `unlock`, `mining/stop`, `mining/start`, `autotune/presets`, `settings`.
"""

from collections.abc import Mapping
from typing import Any

from bench.levers.miners.device.levels import value_of, watts
from bench.levers.miners.device.lever import WORKS, MinerLever
from bench.levers.miners.device.line import OPTIONS, Line, RefusedError, open_line
from bench.levers.miners.device.looking import Look
from bench.levers.protocol import Setting
from bench.levers.registry import LeverKind
from bench.miners.families import vnish as family
from bench.miners.link import WEB
from bench.miners.parsing.nested import inside
from bench.miners.reply import Reply, section
from bench.miners.values import text
from bench.network.errors import ReadFailedError
from sites.control.model import OFF, ON, Level

_API = "/api/v1/"
_STOPPED = "stopped"
_MOVING = {"initializing": "starting", "starting": "starting", "restarting": "starting", "shutting-down": "ramping",
           "auto-tuning": "tuning"}  # fmt: skip
WRITE_S = 30.0  # [s] longest time of one write


class VNish(MinerLever):
    """A machine with VNish."""

    writes_flash = True

    def __init__(self, line: Line) -> None:
        super().__init__(line)
        self._token = ""
        self._info: Reply | None = None
        self._model: Reply | None = None
        self._presets: dict[int, str] = {}  # name of each tuned preset by its power [W]

    async def _look(self) -> Look:
        try:
            return await self._read()
        except ReadFailedError:
            self._info = None  # another unit may be there afterwards
            raise

    async def _read(self) -> Look:
        if self._info is None or self._model is None:
            info = await self._get("info")
            if not family.recognise(info.document):
                raise ReadFailedError("not VNish", "other_family")
            self._info, self._model = info, await self._get("model")
            await self._learn()
        replies = {"info": self._info, "model": self._model, "summary": await self._get("summary"),
                   "perf-summary": await self._get("perf-summary")}  # fmt: skip
        miner, named = section(replies, "summary", "miner"), section(replies, "info")
        status = inside(miner, "miner_status")
        state = status.text("miner_state") or _STOPPED
        reading = family.parse(replies)
        level = _watts_of(reading.mode.profile)
        return Look(
            reading=reading,
            identity=inside(named, "system", "network_status").text("mac") or named.text("serial") or None,
            off=state == _STOPPED,
            level=None if level is None else watts(level),
            changing=_MOVING.get(state, ""),
            fault=state == "failure",
            empty_is_off=not miner.values,
            clocks=(status.get("miner_state_time"),) if state != _STOPPED else (),
            full_w=max(self._presets, default=None),
            target_w=level,
        )

    async def _learn(self) -> None:
        """Read the tuned presets; without a login there are none."""
        try:
            reply = await self._logged_in("autotune/presets")
        except RefusedError:
            return
        for row in reply.document if isinstance(reply.document, list) else ():
            if isinstance(row, dict) and row.get("status") == "tuned" and not row.get("modded_psu_required"):
                name = text(row.get("name"))
                if (power_w := _watts_of(name)) is not None:
                    self._presets[power_w] = name
        if self._presets:
            self._levels = (Level(OFF), *(Level(watts(power_w), float(power_w)) for power_w in sorted(self._presets)))

    async def _setting(self) -> Setting | None:
        if self._info is None:
            await self._read()
        summary = {"summary": await self._get("summary")}
        performance = section({"": await self._get("perf-summary")}, "")
        switcher = bool(inside(performance, "preset_switcher").truth("enabled"))
        preset = inside(performance, "current_preset").text("name") or None
        state = inside(section(summary, "summary", "miner"), "miner_status").text("miner_state") or _STOPPED
        return {WORKS: state != _STOPPED, "preset": None if switcher else preset, "switcher": switcher}

    async def _set(self, level: str) -> str:
        now = await self._now()
        if level == OFF:
            return await self._switch(now, on=False)
        power_w, says = value_of(level, "W"), ""
        if power_w is not None:
            if now["switcher"]:
                raise RefusedError("the preset switcher of the firmware chooses the preset: switch it off there")
            says = await self._to_preset(now, self._presets[power_w])
        return await self._switch(now, on=True) if not now[WORKS] else says or "nothing to send"

    async def _bring_back(self, setting: Setting) -> str:
        now, preset, says = await self._now(), setting.get("preset"), ""
        if isinstance(preset, str) and preset != now["preset"] and not now["switcher"]:
            says = await self._to_preset(now, preset)
        if setting[WORKS] != now[WORKS]:
            says = await self._switch(now, on=bool(setting[WORKS]))
        return says or "nothing to send: the device has this setting"

    async def _now(self) -> Setting:
        now = await self._setting()
        if now is None:
            raise RefusedError("the state of the miner was not read completely", "config_incomplete")
        return now

    async def _switch(self, now: Setting, *, on: bool) -> str:
        if now[WORKS] == on:
            return "nothing to send: the device has this setting"
        word = "start" if on else "stop"
        await self._logged_in(f"mining/{word}", method="POST", changes=True, timeout_s=WRITE_S)
        return f"{word} is accepted"

    async def _to_preset(self, now: Setting, preset: str) -> str:
        """Set a preset, and restart the mining program if the firmware asks for it."""
        if preset == now["preset"]:
            return ""
        body = {"miner": {"overclock": {"preset": preset}}}
        reply = await self._logged_in("settings", method="POST", body=body, changes=True, timeout_s=WRITE_S)
        if section({"": reply}, "").truth("restart_required") and now[WORKS]:
            await self._logged_in("mining/restart", method="POST", changes=True, timeout_s=WRITE_S)
            return f"preset {preset}; the mining program restarts"
        return f"preset {preset}"

    async def _get(self, path: str) -> Reply:
        return await self.line.web(path, f"{_API}{path}")

    async def _logged_in(self, path: str, **request: Any) -> Reply:
        """Return a reply, after one new login if the token is no longer taken."""
        fresh = not self._token
        if fresh:
            await self._log_in()
        try:
            return await self._with_token(path, **request)
        except RefusedError as error:
            if fresh or error.code != "login_refused":
                raise
        await self._log_in()
        return await self._with_token(path, **request)

    async def _with_token(self, path: str, **request: Any) -> Reply:
        headers = {"Authorization": f"Bearer {self._token}"}
        return await self.line.web(path, f"{_API}{path}", headers=headers, **request)

    async def _log_in(self) -> None:
        login, self._token = self.line.login, ""
        if login is None:
            raise RefusedError("the REST interface wants a password", "login_needed")
        document = (await self.line.web("unlock", f"{_API}unlock", body={"pw": login.password})).document
        token = document.get("token") if isinstance(document, dict) else None
        if not isinstance(token, str) or not token.isascii() or not token.isprintable():
            raise RefusedError("the login gives no token", "login_refused")
        self._token = token

    def can(self, level: str) -> str | None:
        """Return why a level cannot be set."""
        return None if level in {OFF, ON} or value_of(level, "W") in self._presets else self._why_not(level)

    def _level_of(self, setting: Setting) -> str | None:
        power_w = _watts_of(text(setting.get("preset")))
        return None if power_w is None else watts(power_w)


def _watts_of(preset: str) -> int | None:
    """Return the power that a preset is named for [W]; None for one with another name."""
    return int(preset) if preset.isdecimal() and len(preset) < 6 else None


def make(address: str, options: Mapping[str, str]) -> VNish:
    """Return the lever of a machine with VNish."""
    return VNish(open_line(address, options, WEB))


ENTRY = LeverKind(
    "vnish",
    "VNish: stop and start, presets that are tuned; writes flash",
    "HOST or HOST:PORT (port 80)",
    make,
    OPTIONS,
)
