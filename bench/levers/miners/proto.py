"""Proto Rig: stopped and started, over its REST interface, whose only public replies come from a simulator.

References
----------
256foundation/asic-rs, firmware `proto`: `auth/login`, `mining/start`, `mining/stop`.
"""

from collections.abc import Mapping

from bench.levers.miners.device.lever import WORKS, MinerLever
from bench.levers.miners.device.line import OPTIONS, Line, RefusedError, open_line
from bench.levers.miners.device.looking import Look
from bench.levers.protocol import Setting
from bench.levers.registry import LeverKind
from bench.miners.families import proto as family
from bench.miners.link import WEB
from bench.miners.reply import Replies, Reply, section
from bench.network.errors import ReadFailedError
from sites.control.model import OFF

_API = "/api/v1/"
_STOPPED, _WORKING = "Stopped", frozenset({"Mining", "DegradedMining"})
_MOVING = frozenset({"PoweringOn", "PoweringOff", "Uninitialized"})
_FAULTS = frozenset({"Error"})
WRITE_S = 30.0  # [s] longest time of one write


class Proto(MinerLever):
    """A Proto Rig."""

    def __init__(self, line: Line) -> None:
        super().__init__(line)
        self._system: Reply | None = None

    async def _look(self) -> Look:
        try:
            replies = await self._read()
        except ReadFailedError:
            self._system = None  # another unit may be there afterwards
            raise
        status = section(replies, "mining", "mining-status")
        state = status.text("status")
        return Look(
            reading=family.parse(replies),
            identity=section(replies, "system", "system-info").text("cb_sn") or None,
            off=state == _STOPPED,
            changing="starting" if state in _MOVING else "",
            fault=state in _FAULTS,
            clocks=(status.get("mining_uptime_s"),) if state in _WORKING else (),
            doubts=() if state else ("malformed",),
        )

    async def _read(self) -> Replies:
        if self._system is None:
            system = await self.line.web("system", f"{_API}system")
            if not family.recognise(system.document):
                raise ReadFailedError("not a Proto Rig", "other_family")
            self._system = system
        return {"system": self._system, "mining": await self.line.web("mining", f"{_API}mining")}

    async def _setting(self) -> Setting | None:
        mining = {"": await self.line.web("mining", f"{_API}mining")}
        state = section(mining, "", "mining-status").text("status")
        return {WORKS: state != _STOPPED} if state else None

    async def _set(self, level: str) -> str:
        return await self._bring_back({WORKS: level != OFF})

    async def _bring_back(self, setting: Setting) -> str:
        now = await self._setting()
        if now is None:
            raise RefusedError("the state of the miner was not read", "config_incomplete")
        if now[WORKS] == setting[WORKS]:
            return "nothing to send: the device has this setting"
        if self.line.login is None:
            raise RefusedError("the write interface wants a password", "login_needed")
        opened = await self.line.web("login", f"{_API}auth/login", body={"password": self.line.login.password})
        token = section({"": opened}, "").text("access_token")
        if not token:
            raise RefusedError("the login gives no token", "login_refused")
        word = "start" if setting[WORKS] else "stop"
        headers = {"Authorization": f"Bearer {token}"}
        path = f"{_API}mining/{word}"
        await self.line.web(word, path, method="POST", headers=headers, changes=True, timeout_s=WRITE_S)
        return f"{word} is accepted"


def make(address: str, options: Mapping[str, str]) -> Proto:
    """Return the lever of a Proto Rig."""
    return Proto(open_line(address, options, WEB))


ENTRY = LeverKind("proto", "Proto Rig: stop and start", "HOST or HOST:PORT (port 80)", make, OPTIONS)
