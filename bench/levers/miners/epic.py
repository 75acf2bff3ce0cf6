"""ePIC PowerPlay: stopped and started, over HTTP on port 4028.

A stopped miner idles, and so does one without a pool: both look alike, and both count as off. The targets of its tuner
are left alone.

References
----------
ePIC, PowerPlay API 1.30: `/miner` with `Stop` and `Autostart`, and the password in each request.
"""

from collections.abc import Mapping
from dataclasses import replace

from bench.levers.miners.device.lever import WORKS, MinerLever
from bench.levers.miners.device.line import OPTIONS, Line, RefusedError, open_line
from bench.levers.miners.device.looking import Look
from bench.levers.protocol import Setting
from bench.levers.registry import LeverKind
from bench.miners.families import epic as family
from bench.miners.link import CGMINER
from bench.miners.parsing.nested import inside
from bench.miners.record import MinerReading, RateReading
from bench.miners.reply import Reply, Section, section
from bench.network.errors import ReadFailedError
from sites.control.model import OFF

_IDLING, _MINING = "Idling", "Mining"
WRITE_S = 30.0  # [s] longest time of one write


class Epic(MinerLever):
    """A machine with ePIC firmware."""

    def __init__(self, line: Line) -> None:
        super().__init__(line)
        self._capabilities: Reply | None = None

    async def _look(self) -> Look:
        try:
            summary = await self._summary()
            if self._capabilities is None:
                self._capabilities = await self.line.web("capabilities", "/capabilities", port=CGMINER)
        except ReadFailedError:
            self._capabilities = None  # another unit may be there afterwards
            raise
        replies = {"summary": summary, "capabilities": self._capabilities}
        can, state = section(replies, "capabilities"), _state(section(replies, "summary"))
        serial = can.text("Miner Serial Number") or inside(can, "Control Board Version").text("cpuSerial")
        return Look(
            reading=_of_now(family.parse(replies)),
            identity=serial or None,
            off=state == _IDLING,
            changing="" if state in {_IDLING, _MINING} else "starting",
            clocks=(inside(section(replies, "summary"), "Session").get("Uptime"),) if state == _MINING else (),
            doubts=() if state else ("malformed",),
        )

    async def _summary(self) -> Reply:
        summary = await self.line.web("summary", "/summary", port=CGMINER)
        if not family.recognise(summary.document):
            raise ReadFailedError("not ePIC", "other_family")
        return summary

    async def _setting(self) -> Setting | None:
        state = _state(section({"": await self._summary()}, ""))
        return {WORKS: state != _IDLING} if state else None

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
        body = {"param": "Autostart" if setting[WORKS] else "Stop", "password": self.line.login.password}
        reply = await self.line.web("miner", "/miner", port=CGMINER, body=body, changes=True, timeout_s=WRITE_S)
        says = section({"": reply}, "")
        if says.truth("result") is False:
            raise RefusedError(says.text("error") or "refused")
        return f"{body['param']} is accepted"


def _of_now(reading: MinerReading) -> MinerReading:
    """Return a reading with the rate of its boards, because the firmware's own is a mean that outlives a stop."""
    rates = [board.rate_h_s for board in reading.boards if board.rate_h_s is not None]
    total = RateReading(sum(rates), "instant", None, "nonces", "summary: HBs", "")
    return replace(reading, rates=(total,) if rates else ())


def _state(summary: Section) -> str:
    return inside(summary, "Status").text("Operating State")


def make(address: str, options: Mapping[str, str]) -> Epic:
    """Return the lever of a machine with ePIC firmware."""
    return Epic(open_line(address, options, CGMINER))


ENTRY = LeverKind("epic", "ePIC PowerPlay: stop and start", "HOST or HOST:PORT (port 4028)", make, OPTIONS)
