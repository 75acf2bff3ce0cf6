"""MicroBT Whatsminer with API 2, on port 4028: off and on, and a share of power that lasts until the next restart.

`set_power_pct` neither restarts the miner nor is stored, so it is preferred to the power limit, which reboots it, and
to the power modes. No command reads it back: what was sent is kept here, and the power must show it.

References
----------
MicroBT, WhatsMiner API 2.0: `power_off`, `power_on`, `set_power_pct`, `status`.
"""

from abc import abstractmethod
from collections.abc import Mapping
from typing import Any

from bench.levers.miners.device.levels import out_of_range, value_of
from bench.levers.miners.device.lever import WORKS, MinerLever
from bench.levers.miners.device.line import OPTIONS, PLACE, Line, RefusedError, open_line
from bench.levers.miners.device.looking import Look, measured_power
from bench.levers.miners.whatsminer_cipher import check_installed, opened, sealed, token
from bench.levers.protocol import Setting
from bench.levers.registry import LeverKind
from bench.miners.families import whatsminer as family
from bench.miners.link import CGMINER
from bench.miners.record import MinerReading
from bench.miners.reply import Reply, section
from bench.network.errors import ReadFailedError
from sites.control.model import OFF, Level

WRITE_S = 20.0  # [s] longest time of one write
LOWEST_PERCENT, FULL_PERCENT = 50, 100
_BELOW_FULL = 0.93  # of the power limit: less says that a share may be set
_FITS = 0.08


class SharedWhatsminer(MinerLever):
    """What the versions of the interface share: a share of power that is set and not read back."""

    def __init__(self, line: Line) -> None:
        super().__init__(line)
        names = (f"{percent}%" for percent in range(60, FULL_PERCENT + 1, 10))
        self._levels = (Level(OFF), *(Level(name) for name in names))
        self._percent: int | None = None  # that was sent last
        self._full_w: float | None = None  # [W] at work without a share

    def _judged(self, reading: MinerReading, *, off: bool | None, **more: Any) -> Look:
        """Return the look; the power of a share is compared with the power at work before."""
        power, target_w = measured_power(reading.powers), None
        if off is False and self._percent in {None, FULL_PERCENT} and reading.mode.settled and power is not None:
            self._full_w = power.power_w
        if self._percent is not None and self._percent != FULL_PERCENT and self._full_w is not None:
            target_w = self._full_w * self._percent / FULL_PERCENT
        limit_w = reading.mode.target_power_w
        return Look(
            reading=reading,
            off=off,
            level=f"{self._percent or FULL_PERCENT}%",
            changing="" if off or reading.mode.settled is not False else "tuning",
            full_w=limit_w,
            target_w=target_w,
            target_frac=_FITS,
            **more,
        )

    async def _setting(self) -> Setting | None:
        off, _ = await self._state()
        return None if off is None else {WORKS: not off, "percent": FULL_PERCENT}

    async def _set(self, level: str) -> str:
        off, _ = await self._state()
        if level == OFF:
            return "nothing to send: the device is off" if off else await self._switch(on=False)
        says = await self._switch(on=True) if off else ""
        percent = value_of(level, "%")
        if percent is not None and (percent != FULL_PERCENT or self._percent not in {None, FULL_PERCENT}):
            says = await self._share(percent)
        return says or "nothing to send: the device has this setting"

    async def _bring_back(self, setting: Setting) -> str:
        off, below = await self._state()
        if not setting[WORKS]:
            return "nothing to send: the device is off" if off else await self._switch(on=False)
        says = await self._switch(on=True) if off else ""
        if self._percent not in {None, FULL_PERCENT} or (self._percent is None and below):
            says = await self._share(FULL_PERCENT)
        return says or "nothing to send: the device has this setting"

    async def _share(self, percent: int) -> str:
        says = await self._send_share(percent)
        self._percent = percent
        return says

    def _why_not(self, level: str) -> str | None:
        percent = value_of(level, "%")
        if percent is None:
            return super()._why_not(level)
        if LOWEST_PERCENT <= percent <= FULL_PERCENT:
            return None
        return out_of_range(level, LOWEST_PERCENT, FULL_PERCENT, "%")

    def _level_of(self, setting: Setting) -> str | None:
        del setting
        return f"{FULL_PERCENT}%"

    @abstractmethod
    async def _state(self) -> tuple[bool | None, bool]:
        """Return whether the miner is off, and whether it works with less than its full power."""

    @abstractmethod
    async def _switch(self, *, on: bool) -> str:
        """Switch off or on."""

    @abstractmethod
    async def _send_share(self, percent: int) -> str:
        """Set the share of power."""


def is_below(reading: MinerReading) -> bool:
    """Return whether a miner draws clearly less than its limit."""
    power, limit_w = measured_power(reading.powers), reading.mode.target_power_w
    return power is not None and limit_w is not None and power.power_w < _BELOW_FULL * limit_w


class Whatsminer(SharedWhatsminer):
    """A Whatsminer with API 2."""

    def __init__(self, line: Line) -> None:
        super().__init__(line)
        self._identity: str | None = None
        self._recognised = False

    async def _look(self) -> Look:
        try:
            return await self._read()
        except ReadFailedError:
            self._identity, self._recognised = None, False  # another unit may be there afterwards
            raise

    async def _read(self) -> Look:
        if not self._recognised:
            version = await self._ask("get_version")
            if not family.recognise(version.document):
                raise ReadFailedError("not a Whatsminer", "other_family")
            info = section({"": await self._ask("get_miner_info", optional=True)}, "", "Msg")
            self._identity, self._recognised = info.text("mac", "minersn") or None, True
        replies = {"status": await self._ask("status")}
        off = _off(replies["status"])
        replies["summary"] = await self._ask("summary", optional=bool(off))  # its program may not run while it is off
        summary = section(replies, "summary", "SUMMARY", 0)
        return self._judged(
            family.parse(replies),
            off=off,
            identity=self._identity or summary.text("MAC") or None,
            empty_is_off=not summary.values,
            clocks=(summary.get("Elapsed"), section(replies, "status", "STATUS").get("When"),
                    section(replies, "summary", "STATUS", 0).get("When"),
                    section(replies, "status").get("When")),
            doubts=() if off is not None else ("malformed",),
        )  # fmt: skip

    async def _state(self) -> tuple[bool | None, bool]:
        off = _off(await self._ask("status"))
        summary = {"summary": await self._ask("summary", optional=True)}
        return off, off is False and is_below(family.parse(summary))

    async def _switch(self, *, on: bool) -> str:
        return await self._write({"cmd": "power_on"} if on else {"cmd": "power_off", "respbefore": "true"})

    async def _send_share(self, percent: int) -> str:
        return await self._write({"cmd": "set_power_pct", "percent": str(percent)})

    async def _ask(self, name: str, *, optional: bool = False) -> Reply:
        return await self.line.ask(name, {"cmd": name}, optional=optional)

    async def _write(self, command: Mapping[str, str]) -> str:
        """Send one command, sealed with a key that is made of the password for it."""
        login = self.line.login
        if login is None:
            raise RefusedError("the write interface wants a password", "login_needed")
        given = section({"": await self._ask("get_token")}, "", "Msg")
        parts = [given.text(key) for key in ("time", "salt", "newsalt")]
        if not all(parts):
            raise RefusedError("the miner gives no token", "write_off")
        key, sign = token(login.password, *parts)
        request = sealed({**command, "token": sign}, key)
        reply = await self.line.ask(command["cmd"], request, changes=True, timeout_s=WRITE_S)
        return _answer(command["cmd"], reply, key)


def _off(reply: Reply) -> bool | None:
    status = section({"": reply}, "", "Msg")
    words = [word for key in ("mineroff", "btmineroff") if (word := status.truth(key)) is not None]
    return any(words) if words else None


def _answer(name: str, reply: Reply, key: bytes) -> str:
    """Return the message of a sealed answer.

    Raises
    ------
    RefusedError
        The miner refuses the command.
    ReadFailedError
        The answer cannot be opened.
    """
    sealed_text = reply.document.get("enc") if isinstance(reply.document, dict) else None
    if isinstance(sealed_text, str):
        try:
            reply = Reply.of(name, opened(sealed_text, key))
        except ValueError:
            raise ReadFailedError("the answer cannot be opened with the key of the password", "malformed") from None
    if reply.fault:
        off = "can't access write" in reply.fault.lower()
        raise RefusedError(reply.fault, "write_off" if off else "refused")
    document = reply.document if isinstance(reply.document, dict) else {}
    return section({"": reply}, "").text("Msg") or ("accepted" if document else "")


def make(address: str, options: Mapping[str, str]) -> Whatsminer:
    """Return the lever of a Whatsminer with API 2.

    Raises
    ------
    InputError
        The address or an option is wrong, or a login is stated and the package for it is missing.
    """
    line = open_line(address, options, CGMINER)
    if line.login is not None:
        check_installed(PLACE)
    return Whatsminer(line)


ENTRY = LeverKind(
    "whatsminer",
    "MicroBT Whatsminer with API 2: off, on, share of power until the next restart",
    "HOST or HOST:PORT (port 4028)",
    make,
    OPTIONS,
)
