"""MicroBT Whatsminer with API 3, frames on port 4433: off and on, and a share of power that lasts until a restart.

A write has a token of the password, of a salt of the miner and of the time, so the miner's clock must be right.

References
----------
MicroBT, WhatsMiner API 3: `set.miner.service`, `set.miner.power_percent`. tetherto/miningos-wrk-miner-whatsminer: the
firmware reads the percentage as text.
"""

import base64
import hashlib
import time
from collections.abc import Mapping
from typing import Any

from bench.levers.miners.device.line import OPTIONS, Line, RefusedError, open_line
from bench.levers.miners.device.looking import Look
from bench.levers.miners.whatsminer import WRITE_S, SharedWhatsminer, is_below
from bench.levers.registry import LeverKind
from bench.miners.families import whatsminer_v3 as family
from bench.miners.reply import Replies, Section, section
from bench.network.errors import ReadFailedError

_TOKEN_LETTERS = 8


class WhatsminerV3(SharedWhatsminer):
    """A Whatsminer with API 3."""

    def __init__(self, line: Line) -> None:
        super().__init__(line)
        self._salt = ""

    async def _look(self) -> Look:
        replies = await self._read()
        device, summary = section(replies, "device", "msg"), section(replies, "summary", "msg", "summary")
        off = _off(replies)
        return self._judged(
            family.parse(replies),
            off=off,
            identity=_inside(device, "network").text("mac") or _inside(device, "miner").text("miner-sn") or None,
            empty_is_off=not summary.values,
            clocks=(summary.get("elapsed"), section(replies, "device").get("when")),
            doubts=() if off is not None else ("malformed",),
        )

    async def _read(self) -> Replies:
        device = await self.line.ask_frame("device", {"cmd": "get.device.info"})
        if not family.recognise(device.document):
            raise ReadFailedError("not a Whatsminer of API 3", "other_family")
        self._salt = section({"": device}, "", "msg").text("salt")
        request = {"cmd": "get.miner.status", "param": "summary"}
        return {"device": device, "summary": await self.line.ask_frame("summary", request)}

    async def _state(self) -> tuple[bool | None, bool]:
        replies = await self._read()
        off = _off(replies)
        return off, off is False and is_below(family.parse(replies))

    async def _switch(self, *, on: bool) -> str:
        return await self._write("set.miner.service", "start" if on else "stop")

    async def _send_share(self, percent: int) -> str:
        return await self._write("set.miner.power_percent", {"percent": str(percent), "mode": "normal"})

    async def _write(self, command: str, param: Any) -> str:
        login = self.line.login
        if login is None:
            raise RefusedError("the write interface wants a password", "login_needed")
        now_s = int(time.time())
        word = f"{command}{login.password}{self._salt}{now_s}".encode()
        sign = base64.b64encode(hashlib.sha256(word).digest()).decode()[:_TOKEN_LETTERS]
        request = {"cmd": command, "param": param, "ts": now_s, "account": login.user, "token": sign}
        reply = await self.line.ask_frame(command, request, changes=True, timeout_s=WRITE_S)
        code = reply.document.get("code") if isinstance(reply.document, dict) else None
        if code != 0:
            raise RefusedError(f"code {code} {section({'': reply}, '').text('msg')}".strip())
        return section({"": reply}, "").text("msg") or "accepted"


def _inside(outer: Section, key: str) -> Section:
    return Section(key, outer.get(key))


def _off(replies: Replies) -> bool | None:
    working = section(replies, "device", "msg", "miner").truth("working")
    return None if working is None else not working


def make(address: str, options: Mapping[str, str]) -> WhatsminerV3:
    """Return the lever of a Whatsminer with API 3."""
    return WhatsminerV3(open_line(address, options, family.PORT, user="super"))


ENTRY = LeverKind(
    "whatsminer-v3",
    "MicroBT Whatsminer with API 3: off, on, share of power until the next restart",
    "HOST or HOST:PORT (port 4433)",
    make,
    OPTIONS,
)
