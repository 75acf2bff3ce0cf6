"""Antminer with its stock firmware: asleep, low, normal and high, by the whole configuration of the miner.

The firmware takes a configuration only as a whole: what is missing is lost, pools included. So it is read first, and
nothing is written unless it was read completely. The mode is read as `bitmain-work-mode` on some versions and always
written as `miner-mode`: the other key is acknowledged without effect. A write takes some 20 s, restarts the mining
program and writes the flash memory.

References
----------
256foundation/asic-rs, issue 249 (`miner-mode`, 21 s). tetherto/miningos-wrk-miner-antminer (asleep, `stats` is an empty
list).
"""

from collections.abc import Mapping
from typing import Any

from bench.levers.miners.device.lever import WORKS, MinerLever
from bench.levers.miners.device.line import OPTIONS, Line, RefusedError, open_line
from bench.levers.miners.device.looking import Look
from bench.levers.protocol import Setting
from bench.levers.registry import LeverKind
from bench.miners.families import antminer as family
from bench.miners.link import CGMINER
from bench.miners.pools.antminer import GET_CONF, SET_CONF, as_written
from bench.miners.reply import Reply, rows, section
from bench.miners.values import text
from bench.network.errors import ReadFailedError
from sites.control.model import OFF, ON, Level

WRITE_S = 120.0  # [s] longest time of one write; 21 s were seen
_MODES = {"0": "normal", "1": OFF, "2": "high", "3": "low"}
_NUMBERS = {name: number for number, name in _MODES.items()}
_MODE_KEYS = ("miner-mode", "bitmain-work-mode")
_POOL_KEYS = frozenset({"url", "user", "pass"})
_SLEEP = "1"


class Antminer(MinerLever):
    """A stock Antminer."""

    writes_flash = True

    def __init__(self, line: Line) -> None:
        super().__init__(line)
        self._levels = (Level(OFF), Level("low"), Level("normal"))  # `high` is set only where it is named
        self._newer = False  # whether `stats` has its boards only in the newer form
        self._recognised = False
        self._identity: str | None = None
        self._pools: Any = None  # as they were when the configuration was written

    async def _look(self) -> Look:
        try:
            return await self._read()
        except ReadFailedError:
            self._identity, self._recognised = None, False  # another unit may be there afterwards
            raise

    async def _read(self) -> Look:
        if not self._recognised:
            version = await self.line.ask("version")
            if not family.recognise(version.document):
                raise ReadFailedError("not a stock Antminer", "other_family")
            self._recognised = True
        stats = await self._stats()
        replies = {"stats": stats}
        mode: str | None = None
        doubts: tuple[str, ...] = ()
        if self.line.login is not None:
            replies["get_miner_conf"] = await self.line.web("get_miner_conf", GET_CONF)
            mode = _mode(replies["get_miner_conf"])
            pools = section(replies, "get_miner_conf").get("pools")
            if self._pools is not None and pools != self._pools:
                doubts = ("pools_changed",)
            if self._identity is None:
                system = section({"": await self.line.web("", "/cgi-bin/get_system_info.cgi")}, "")
                self._identity = system.text("macaddr", "serinum") or None
        empty = not rows(replies, "stats", "STATS")
        figures = max((section(replies, "stats", "STATS", at).values for at in (0, 1)), key=len)
        asleep = mode == _SLEEP or (mode is None and empty)
        return Look(
            reading=family.parse(replies),
            identity=self._identity,
            off=asleep,
            level=_MODES.get(mode or ""),
            changing="starting" if empty and not asleep else "",
            empty_is_off=empty,
            clocks=(
                figures.get("Elapsed", figures.get("elapsed")),
                section(replies, "stats", "STATUS", 0).get("When"),
            ),
            doubts=doubts,
        )

    async def _stats(self) -> Reply:
        """Return `stats` in the form that has figures; an empty list is kept, because sleep looks so."""
        newer = {"command": "stats", "new_api": True}
        stats = await self.line.ask("stats", newer if self._newer else None)
        figures = family.parse({"stats": stats})
        if not self._newer and rows({"stats": stats}, "stats", "STATS") and not figures.boards and not figures.rates:
            other = await self.line.ask("stats", newer, optional=True)
            self._newer = bool(rows({"stats": other}, "stats", "STATS"))
            return other if self._newer else stats
        return stats

    async def _conf(self) -> dict[str, Any]:
        """Return the whole configuration.

        Raises
        ------
        RefusedError
            It is not complete, or there is no login.
        """
        if self.line.login is None:
            raise RefusedError("the web page of the miner wants a login", "login_needed")
        return whole_conf(await self.line.web("get_miner_conf", GET_CONF))

    async def _setting(self) -> Setting | None:
        mode = str(_mode_of(await self._conf()))
        return {WORKS: mode != _SLEEP, "mode": mode}

    async def _set(self, level: str) -> str:
        conf = await self._conf()
        asleep = str(_mode_of(conf)) == _SLEEP
        if level == ON:
            return await self._write(conf, "0") if asleep else "nothing to send: the device works"
        return await self._write(conf, _NUMBERS[level])

    async def _bring_back(self, setting: Setting) -> str:
        mode = str(setting.get("mode"))
        if mode not in _MODES:
            raise RefusedError("the stored setting has no mode", "config_incomplete")
        if setting[WORKS] and mode == _SLEEP:  # it slept when it was found, and is to work now
            mode = "0"
        return await self._write(await self._conf(), mode)

    async def _write(self, conf: dict[str, Any], mode: str) -> str:
        """Write the configuration as it is with another mode; later looks see whether the pools are still the same."""
        now = _mode_of(conf)
        if str(now) == mode:
            return "nothing to send: the device has this mode"
        value: int | str = int(mode) if isinstance(now, int) else mode  # the type differs between versions
        body = as_written(conf) | {key: value for key in _MODE_KEYS if key in conf} | {"miner-mode": value}
        self._pools = conf["pools"]
        reply = await self.line.web("set_miner_conf", SET_CONF, body=body, changes=True, timeout_s=WRITE_S)
        says = section({"": reply}, "")
        if says.text("stats") == "error" or "error" in says.values:
            raise RefusedError(says.text("msg", "error") or "the configuration is refused")
        return says.text("msg") or "the configuration is written"

    def can(self, level: str) -> str | None:
        """Return why a level cannot be set."""
        return None if level in {ON, *_NUMBERS} else self._why_not(level)

    def _level_of(self, setting: Setting) -> str | None:
        level = _MODES.get(str(setting.get("mode")))
        return None if level == OFF else level


def whole_conf(reply: Reply) -> dict[str, Any]:
    """Return the configuration of a reply that is complete: pools with all their keys, and a mode.

    Raises
    ------
    RefusedError
        Something is missing, or the reply was not valid JSON.
    """
    conf = reply.document
    pools = conf.get("pools") if isinstance(conf, dict) else None
    complete = (
        isinstance(pools, list)
        and bool(pools)
        and all(isinstance(pool, dict) and pool.keys() >= _POOL_KEYS for pool in pools)
        and not reply.repairs
        and any(key in conf for key in _MODE_KEYS)
    )
    if not complete:
        raise RefusedError("the configuration was not read completely, so nothing is written", "config_incomplete")
    return dict(conf)


def _mode_of(conf: Mapping[str, Any]) -> int | str:
    value = next(conf[key] for key in _MODE_KEYS if key in conf)
    return value if isinstance(value, int) and not isinstance(value, bool) else text(value)


def _mode(reply: Reply) -> str | None:
    """Return the mode that a configuration shows; None if it shows none."""
    conf = section({"": reply}, "")
    return conf.text(*_MODE_KEYS) or None


def make(address: str, options: Mapping[str, str]) -> Antminer:
    """Return the lever of a stock Antminer.

    Raises
    ------
    InputError
        The address or an option is wrong.
    """
    return Antminer(open_line(address, options, CGMINER, user="root"))


ENTRY = LeverKind(
    "antminer",
    "Antminer with stock firmware: sleep, low, normal, high; writes flash and restarts the mining program",
    "HOST or HOST:PORT (ports 4028 and 80)",
    make,
    OPTIONS,
)
