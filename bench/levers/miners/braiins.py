"""Braiins OS from version 25.07 on: paused and resumed, and power targets, over its REST interface.

A power target is set within the firmware's own range; its dynamic power scaling (DPS), which would move the target by
itself, is switched off first and put back by the restore. The firmware keeps its state if nobody speaks to it.

References
----------
Braiins OS, REST API 1.7.0: `actions/pause`, `actions/resume`, `performance/power-target`, `performance/dps`,
`configuration/constraints`.
"""

from collections.abc import Mapping
from typing import Any

from bench.levers.miners.device.levels import out_of_range, spaced, value_of, watts
from bench.levers.miners.device.lever import WORKS, MinerLever
from bench.levers.miners.device.line import OPTIONS, Line, RefusedError, open_line
from bench.levers.miners.device.looking import Look
from bench.levers.protocol import Setting
from bench.levers.registry import LeverKind
from bench.miners.families.braiins_rest import parse_rest
from bench.miners.link import WEB
from bench.miners.parsing.nested import inside
from bench.miners.reply import Reply, Section, section
from sites.control.model import OFF, Level

_API = "/api/v1/"
_LOOKED_AT = ("miner/stats", "miner/details", "miner/hw/hashboards", "performance/tuner-state")
_NOT_STARTED, _PAUSED = 1, 3
_MOVING = {3: "tuning", 6: "starting"}  # states of the tuner
_STEP_W = 100.0
_SAVE_AND_APPLY = 2
WRITE_S = 30.0  # [s] longest time of one write


class Braiins(MinerLever):
    """A machine with Braiins OS."""

    def __init__(self, line: Line) -> None:
        super().__init__(line)
        self._token = ""
        self._range_w: tuple[float, float] | None = None

    async def _look(self) -> Look:
        if self._range_w is None:
            await self._learn()
        replies = {path: await self._get(path) for path in _LOOKED_AT}
        details, tuner = section(replies, "miner/details"), section(replies, "performance/tuner-state")
        status = details.whole("status")
        reading = parse_rest(replies, "braiins")
        target_w = reading.mode.target_power_w
        return Look(
            reading=reading,
            identity=details.text("mac_address", "serial_number", "uid") or None,
            off=None if status is None else status == _PAUSED,
            level=None if target_w is None else watts(target_w),
            changing="starting" if status == _NOT_STARTED else _MOVING.get(tuner.whole("overall_tuner_state") or 0, ""),
            clocks=(details.get("bosminer_uptime_s"), details.get("system_uptime_s")) if status != _PAUSED else (),
            full_w=None if self._range_w is None else self._range_w[1],
            target_w=target_w,
            doubts=() if status is not None else ("malformed",),
        )

    async def _learn(self) -> None:
        """Read the range of power targets; a firmware without it can be paused and resumed all the same."""
        constraints = section({"": await self._get("configuration/constraints", optional=True)}, "")
        power = inside(constraints, "tuner_constraints", "power_target")
        lowest, highest = _of(power, "min"), _of(power, "max")
        if lowest and highest and lowest <= highest:
            self._range_w = (lowest, highest)
            named = (Level(watts(value), float(value)) for value in spaced(lowest, highest, _STEP_W))
            self._levels = (Level(OFF), *named)

    async def _setting(self) -> Setting | None:
        if self._range_w is None:
            await self._learn()
        status = section({"": await self._get("miner/details")}, "").whole("status")
        mode = (await self._get("performance/mode")).document
        dps = inside(section({"": await self._get("configuration/miner")}, ""), "dps").truth("enabled")
        if status is None or status == _NOT_STARTED or not isinstance(mode, dict) or not mode:
            return None
        return {WORKS: status != _PAUSED, "mode": mode, "dps": bool(dps)}

    async def _set(self, level: str) -> str:
        now = await self._now()
        if level == OFF:
            return await self._paused(now, pause=True)
        target_w, says = value_of(level, "W"), ""
        if target_w is not None:
            says = await self._to_mode(now, _mode_of(target_w))
        return await self._paused(now, pause=False) or says

    async def _bring_back(self, setting: Setting) -> str:
        now, mode = await self._now(), setting.get("mode")
        if not isinstance(mode, dict):
            raise RefusedError("the stored setting has no mode", "config_incomplete")
        says = "" if mode == now["mode"] else await self._to_mode(now, mode)
        dps = bool(now["dps"]) and not says  # it is off once a mode was set
        if dps != bool(setting.get("dps")):
            says = await self._put("performance/dps", {"enable": not dps, "save_action": _SAVE_AND_APPLY})
        paused = await self._paused(now, pause=not setting[WORKS])
        return paused or says or "nothing to send: the device has this setting"

    async def _now(self) -> Setting:
        now = await self._setting()
        if now is None:
            raise RefusedError("the state of the miner was not read completely", "config_incomplete")
        return now

    async def _to_mode(self, now: Setting, mode: Mapping[str, Any]) -> str:
        """Set a mode; a power target has a path of its own, which firmware takes without a restart."""
        if now["dps"]:
            await self._put("performance/dps", {"enable": False, "save_action": _SAVE_AND_APPLY})
        target_w = _target_w(mode)
        if target_w is not None:
            return await self._put("performance/power-target", {"watt": round(target_w)})
        return await self._put("performance/mode", mode)

    async def _paused(self, now: Setting, *, pause: bool) -> str:
        """Pause or resume, unless the miner is in that state."""
        return await self._put(f"actions/{'pause' if pause else 'resume'}", None) if now[WORKS] == pause else ""

    async def _put(self, path: str, body: Mapping[str, Any] | None) -> str:
        await self._send(path, method="PUT", body=body, changes=True, timeout_s=WRITE_S)
        return f"{path} is accepted"

    async def _get(self, path: str, *, optional: bool = False) -> Reply:
        try:
            return await self._send(path)
        except RefusedError as error:
            if optional and error.code == "refused":
                return Reply(path, fault=str(error))
            raise

    async def _send(self, path: str, **request: Any) -> Reply:
        """Return a reply, after one new login if the token is no longer taken."""
        if not self._token:
            await self._log_in()
        try:
            return await self.line.web(path, f"{_API}{path}", headers={"Authorization": self._token}, **request)
        except RefusedError as error:
            if error.code != "login_refused":
                raise
        await self._log_in()
        return await self.line.web(path, f"{_API}{path}", headers={"Authorization": self._token}, **request)

    async def _log_in(self) -> None:
        login, self._token = self.line.login, ""
        if login is None:
            raise RefusedError("the REST interface wants a user and a password", "login_needed")
        body = {"username": login.user, "password": login.password}
        document = (await self.line.web("auth/login", f"{_API}auth/login", body=body)).document
        token = document.get("token") if isinstance(document, dict) else None
        if not isinstance(token, str) or not token.isascii() or not token.isprintable():
            raise RefusedError("the login gives no token", "login_refused")
        self._token = token

    def _why_not(self, level: str) -> str | None:
        value = value_of(level, "W")
        if self._range_w is None or value is None:
            return super()._why_not(level)
        lowest, highest = self._range_w
        return None if lowest <= value <= highest else out_of_range(level, lowest, highest, "W")

    def _level_of(self, setting: Setting) -> str | None:
        target_w = _target_w(setting.get("mode"))
        return None if target_w is None else watts(target_w)


def _mode_of(target_w: float) -> dict[str, Any]:
    """Return the mode of a power target as the firmware writes it."""
    return {"tunermode": {"target": {"powertarget": {"power_target": {"watt": target_w}}}}}


def _target_w(mode: Any) -> float | None:
    """Return the power target of a mode [W]; None for a mode of another kind."""
    return inside(Section("", mode), "tunermode", "target", "powertarget", "power_target").number("watt")


def _of(section_: Section, key: str) -> float | None:
    return inside(section_, key).number("watt") or section_.number(key)


def make(address: str, options: Mapping[str, str]) -> Braiins:
    """Return the lever of a machine with Braiins OS."""
    return Braiins(open_line(address, options, WEB, user="root"))


ENTRY = LeverKind(
    "braiins",
    "Braiins OS from 25.07 on: pause and resume, power targets; dynamic power scaling is put back",
    "HOST or HOST:PORT (port 80)",
    make,
    OPTIONS,
)
