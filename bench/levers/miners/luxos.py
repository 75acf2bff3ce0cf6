"""LuxOS: asleep and awake by `curtail`, operating points by profile; neither restarts the mining program.

Every write needs a session, and a miner has one. One that somebody else holds is left alone. While the firmware's own
thermal management (ATM) is on, it chooses the profile; it is switched off before a profile is set, and on again by the
restore.

References
----------
docs.luxor.tech/firmware/api/luxminer: `logon`, `logoff`, `curtail`, `profileset`, `atmset`. LuxorLabs/luxos-tooling:
src/luxos/api.json, which lists the commands that need a session.
"""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager

from bench.levers.miners.device.levels import value_of, watts
from bench.levers.miners.device.lever import WORKS, MinerLever
from bench.levers.miners.device.line import OPTIONS, Line, RefusedError, open_line
from bench.levers.miners.device.looking import Look
from bench.levers.protocol import Setting
from bench.levers.registry import LeverKind
from bench.levers.wire import NoReplyError, NotSentError
from bench.miners.families import luxos as family
from bench.miners.link import CGMINER
from bench.miners.parsing.nested import scaled
from bench.miners.record import Identity, MinerReading, PowerKind, TemperatureReading
from bench.miners.reply import RateKey, Replies, Reply, Section, rows, section
from bench.miners.values import number
from bench.network.errors import ReadFailedError
from sites.control.model import OFF, ON, Level

_LOOKED_AT = ("summary", "config", "power", "devs", "temps")
_RECENT = (RateKey("GHS 5s", "GH/s", "unknown", 5.0, "nonces"), RateKey("GHS 1m", "GH/s", "unknown", 60.0, "nonces"))
_CORNERS = ("TopLeft", "TopRight", "BottomLeft", "BottomRight")
_LOGOFF_S = 3.0
_UNITS_OF_RATE = ("Hashrate (TH)", "Hashrate")
_TWICE = 0.02  # two profiles whose watts differ by less have the same level


class LuxOS(MinerLever):
    """A machine with LuxOS."""

    def __init__(self, line: Line) -> None:
        super().__init__(line)
        self._joined = True  # whether the firmware answers several commands at once
        self._profiles: dict[str, Section] = {}
        self._under_atm: str | None = None  # profile that ATM had chosen when it was switched off

    async def _look(self) -> Look:
        if not self._profiles:
            await self._learn()
        replies = await self._read(_LOOKED_AT)
        config, summary = section(replies, "config", "CONFIG", 0), section(replies, "summary", "SUMMARY", 0)
        devices = rows(replies, "devs", "DEVS")
        profile = self._profiles.get(config.text("Profile"))
        ramping = any(device.truth("IsRamping") for device in devices)
        return Look(
            reading=_glance(replies, summary, config),
            identity=config.text("MACAddr", "SerialNumber") or None,
            off=_asleep(config),
            level=self._level_named(config.text("Profile")),
            changing="tuning" if config.truth("IsTuning") else "ramping" if ramping else "",
            clocks=(summary.get("Elapsed"), section(replies, "summary", "STATUS", 0).get("When")),
            full_w=max((level.power_w or 0.0 for level in self._levels), default=0.0) or None,
            expected_per_s=_rate(profile) if profile is not None else None,
            doubts=() if _asleep(config) is not None else ("malformed",),
        )

    async def _learn(self) -> None:
        """Read which firmware answers, and its profiles."""
        version = await self.line.ask("version")
        if not family.recognise(version.document):
            raise ReadFailedError("not LuxOS", "other_family")
        listed = await self.line.ask("profiles", optional=True)
        found = {row.text("Profile Name"): row for row in rows({"profiles": listed}, "profiles", "PROFILES")}
        self._profiles = {name: _kept(row) for name, row in found.items() if name}
        by_watts: dict[int, Level] = {}
        for row in self._profiles.values():
            power_w = row.number("Watts")
            if (
                power_w is not None
                and power_w > 0.0
                and not any(abs(known / power_w - 1.0) < _TWICE for known in by_watts)
            ):
                by_watts[round(power_w)] = Level(watts(power_w), power_w, _rate(row))
        named = [by_watts[power_w] for power_w in sorted(by_watts)]
        self._levels = (Level(OFF), *named) if named else (Level(OFF), Level(ON))

    async def _read(self, names: tuple[str, ...]) -> Replies:
        """Return replies, read on one connection where the firmware answers several commands at once."""
        if self._joined:
            try:
                joined = await self.line.ask("+".join(names))
            except (NotSentError, NoReplyError):  # the miner is not asked five times more
                raise
            except ReadFailedError:
                joined = Reply("joined")
            parts = joined.document if isinstance(joined.document, dict) else {}
            if all(isinstance(parts.get(name), list) and parts[name] for name in names):
                return {name: Reply(name, document=parts[name][0], repairs=joined.repairs) for name in names}
            self._joined = False
        needed = ("summary", "config")
        return {name: await self.line.ask(name, optional=name not in needed) for name in names}

    async def _config(self) -> Section:
        config = section({"config": await self.line.ask("config")}, "config", "CONFIG", 0)
        if _asleep(config) is None or config.truth("IsAtmEnabled") is None or not config.text("Profile"):
            raise ReadFailedError("config shows no CurtailMode, IsAtmEnabled or Profile", "config_incomplete")
        return config

    async def _setting(self) -> Setting | None:
        config = await self._config()
        atm = bool(config.truth("IsAtmEnabled"))
        return {WORKS: not _asleep(config), "atm": atm, "profile": None if atm else config.text("Profile")}

    async def _set(self, level: str) -> str:
        if not self._profiles:
            await self._learn()
        config = await self._config()
        if level == OFF:
            return await self._write([("curtail", "sleep")] if not _asleep(config) else [])
        profile = None if level == ON else self._profile_of(level)
        return await self._write(
            self._steps(config, works=True, profile=profile, atm=None if profile is None else False)
        )

    async def _bring_back(self, setting: Setting) -> str:
        config = await self._config()
        profile = setting.get("profile")
        return await self._write(
            self._steps(
                config,
                works=bool(setting[WORKS]),
                profile=profile if isinstance(profile, str) else None,
                atm=bool(setting.get("atm")),
            )
        )

    def _steps(self, config: Section, *, works: bool, profile: str | None, atm: bool | None) -> list[tuple[str, str]]:
        """Return the commands from what `config` shows to a state; None stands for what is to stay."""
        asleep, atm_now, profile_now = bool(_asleep(config)), bool(config.truth("IsAtmEnabled")), config.text("Profile")
        steps = [("curtail", "wakeup")] if works and asleep else []
        if atm and not atm_now:
            profile = profile or self._under_atm
        if profile is not None and profile != profile_now:
            if atm_now:
                self._under_atm = profile_now
                steps.append(("atmset", "enabled=false"))
                atm_now = False
            steps.append(("profileset", profile))
        if atm is not None and atm != atm_now:
            if not atm:
                self._under_atm = profile_now
            steps.append(("atmset", f"enabled={'true' if atm else 'false'}"))
        if not works and not asleep:
            steps.append(("curtail", "sleep"))
        return steps

    async def _write(self, steps: list[tuple[str, str]]) -> str:
        """Send commands in one session, and return the last answer."""
        if not steps:
            return "nothing to send: the device has this setting"
        says = ""
        async with self._session() as session:
            for command, parameter in steps:
                request = {"command": command, "parameter": f"{session},{parameter}"}
                reply = await self.line.ask(command, request, changes=True)
                says = section({command: reply}, command, "STATUS", 0).text("Msg") or says
        return says

    @asynccontextmanager
    async def _session(self) -> AsyncIterator[str]:
        """Hold the only session of the miner; one that is held by somebody else is not taken over."""
        held = section({"session": await self.line.ask("session", optional=True)}, "session", "SESSION", 0)
        if held.text("SessionID"):
            raise RefusedError("another session is active", "session_taken")
        try:
            opened = await self.line.ask("logon")
        except RefusedError as error:
            raise RefusedError(str(error), "session_taken") from None
        session = section({"logon": opened}, "logon", "SESSION", 0).text("SessionID")
        if not session or not session.isalnum():
            raise RefusedError("the device gives no session", "session_taken")
        try:
            yield session
        finally:
            request = {"command": "logoff", "parameter": session}
            await self.line.ask("logoff", request, optional=True, timeout_s=_LOGOFF_S)

    def _level_named(self, profile: str) -> str | None:
        """Return the level of a profile."""
        power_w = row.number("Watts") if (row := self._profiles.get(profile)) is not None else None
        if not power_w:
            return profile or None
        near = min(
            (level for level in self._levels if level.power_w),
            key=lambda level: abs((level.power_w or 0.0) - power_w),
            default=None,
        )
        return None if near is None else near.name

    def _level_of(self, setting: Setting) -> str | None:
        profile = setting.get("profile")
        return self._level_named(profile) if isinstance(profile, str) else None

    def _profile_of(self, level: str) -> str:
        power_w = value_of(level, "W")
        for name, row in self._profiles.items():
            if power_w is not None and round(row.number("Watts") or 0.0) == power_w:
                return name
        raise RefusedError(f"no profile has {level}", "unknown_level")


def _asleep(config: Section) -> bool | None:
    """Return whether the miner is curtailed; None if it does not say."""
    word = config.text("CurtailMode").casefold()
    return None if not word else word not in {"none", "wakeup"}


def _glance(replies: Replies, summary: Section, config: Section) -> MinerReading:
    """Return the few figures of a look; a whole reading would cost most of the time of a cycle of 10,000 miners."""
    power = section(replies, "power", "POWER", 0)
    kind: PowerKind = "estimate" if power.truth("PSU") is False else "unknown"
    corners = [
        temperature
        for row in rows(replies, "temps", "TEMPS")
        for corner in _CORNERS
        if (temperature := number(row.get(corner)))
    ]
    hottest = (TemperatureReading(max(corners), "board", "temps"),) if corners else ()
    return MinerReading(
        Identity(family.NAME),
        rates=summary.rates(_RECENT),
        powers=power.powers((("Watts", kind),)),
        temperatures=hottest,
        nominal_rate_h_s=config.rate_h_s("NameplateTHS", "TH/s"),
    )


def _kept(profile: Section) -> Section:
    """Return the figures of a profile that are used: ten thousand machines with all of them are 100 MB."""
    return Section("profiles", {key: profile.get(key) for key in ("Watts", *_UNITS_OF_RATE) if key in profile.values})


def _rate(profile: Section) -> float | None:
    return scaled(profile.number(*_UNITS_OF_RATE), 1e12)


def make(address: str, options: Mapping[str, str]) -> LuxOS:
    """Return the lever of a machine with LuxOS."""
    return LuxOS(open_line(address, options, CGMINER))


ENTRY = LeverKind(
    "luxos",
    "LuxOS on Antminers: curtail sleep and wakeup, profiles",
    "HOST or HOST:PORT (port 4028)",
    make,
    OPTIONS,
)
