"""LuxOS at TCP 4028: the commands that perwatt reads and sends, with sessions, profiles and `curtail`.

References
----------
docs.luxor.tech/firmware/api/luxminer. LuxorLabs/luxos-tooling: src/luxos/api.json.
"""

import json
from collections.abc import Callable
from typing import Any

from bench.twin.phases import Phase
from bench.twin.servers.identity import mac_address
from bench.twin.servers.speaker import MARK, SILENCE, Said, UnitSpeaker, whole_json
from bench.twin.unit import Shown

PORT = 4028
_READS = frozenset({"version", "summary", "config", "power", "devs", "temps", "fans", "pools", "stats", "profiles",
                    "session"})  # fmt: skip
_BOARDS = 3
_STEPS = 6  # profiles between the least and the full power
_SESSION = "p3rw4tt5"


class LuxOS(UnitSpeaker):
    """One machine with LuxOS: the names of its values are those of the firmware, the figures are simulated."""

    _session = ""

    def request(self, received: bytearray) -> int:
        """Return the length of a whole command."""
        return whole_json(received)

    def answer(self, request: bytes) -> Said:
        """Answer one command, or several that are joined by plus signs."""
        try:
            document = json.loads(request)
        except ValueError:
            document = {"command": request.decode("latin-1").partition("|")[0].strip()}
        names = str(document.get("command", "")).split("+") if isinstance(document, dict) else [""]
        if not all(name in _READS for name in names):
            return self._change(names[0], str(document.get("parameter", "")))
        shown = self.shown()
        if shown is None:
            return SILENCE
        replies = {name: self._reply(name, shown) for name in names}
        if len(names) == 1:
            return Said(_sent(replies[names[0]]))
        return Said(_sent({**{name: [reply] for name, reply in replies.items()}, "id": 1}))

    def _change(self, command: str, parameter: str) -> Said:
        if self.shown() is None:
            return SILENCE._replace(changes=True)
        if command == "logon":
            return Said(_sent(self._logon()), changes=True)
        session, _, value = parameter.partition(",")
        if not self._session or session != self._session:
            return Said(_sent(self._status(401, f"Session invalid for command {command[:40]}", "E")), changes=True)
        if command == "logoff":
            self._session = ""
            return Said(_sent(self._status(37, "Session terminated")), changes=True)
        level_w = self._level_w(command, value)
        if level_w is None:
            return Said(_sent(self._status(14, "Invalid command or parameter", "E")), changes=True)
        return self.obey(level_w, _sent(self._status(335, f"{command.capitalize()} command sent")))

    def _logon(self) -> dict[str, Any]:
        if self._session:
            return self._status(402, "Another session is active", "E")
        self._session = _SESSION
        return {**self._status(36, "Session created"), **self._session_row()}

    def _level_w(self, command: str, value: str) -> float | None:
        """Return the power that a command asks for; None for a command that is not known."""
        word = value.partition(",")[0].strip()
        if command == "curtail" and word in {"sleep", "wakeup"}:
            return 0.0 if word == "sleep" else self.unit.awake_level_w
        if command == "profileset":
            return next((power_w for name, power_w in self._profiles() if name == word), None)
        return None

    def _profiles(self) -> list[tuple[str, float]]:
        kind = self.unit.kind
        step_w = (kind.full_w - kind.least_w) / _STEPS
        return [(f"{300 + 40 * step}MHz", kind.least_w + step * step_w) for step in range(_STEPS)] + [
            ("default", kind.full_w)
        ]

    def _reply(self, name: str, shown: Shown) -> dict[str, Any]:
        """Return the reply to one command that only reads."""
        tables: dict[str, Callable[[Shown], Any]] = {
            "summary": self._summary, "config": self._config, "devs": self._devs, "temps": self._temps,
            "power": lambda shown: [{"PSU": False, "Watts": shown.power_w}],
            "fans": lambda _: [{"ID": 0, "RPM": 4800, "Speed": 70}],
            "version": lambda _: [{"API": "3.7", "LUXminer": "2026.1.1-simulated", "Type": self.unit.kind.name}],
            "pools": lambda _: [], "stats": lambda _: [{"Type": self.unit.kind.name}, {}],
            "profiles": lambda _: self._profile_rows(),
            "session": lambda _: [{"SessionID": self._session}],
        }  # fmt: skip
        return {**self._status(1, name), name.upper(): tables[name](shown), "id": 1}

    def _summary(self, shown: Shown) -> Any:
        ghs, elapsed_s = shown.rate_per_s / 1e9, max(1, int(self.clock() - self.unit.start_s))
        return [{
            "Elapsed": elapsed_s, "GHS 5s": ghs, "GHS 1m": ghs, "GHS 5m": ghs, "GHS av": ghs, "Accepted": 100,
            "Rejected": 0, "Hardware Errors": 0, "Difficulty Accepted": 1e7,
        }]  # fmt: skip

    def _config(self, shown: Shown) -> Any:
        kind, asleep = self.unit.kind, shown.level_w == 0.0
        return [{
            "CurtailMode": "Sleep" if asleep else "None", "IsAtmEnabled": False,
            "IsTuning": shown.phase is Phase.TUNING, "IsPowerSupplyOn": not asleep, "Profile": self._profile(),
            "MACAddr": mac_address(self.unit.name), "SerialNumber": f"SIM-{self.unit.name}",
            "Model": f"{kind.name} ({MARK})", "NameplateTHS": kind.full_rate_per_s / 1e12,
            "SystemStatus": f"Simulated: {shown.phase.value}",
        }]  # fmt: skip

    def _devs(self, shown: Shown) -> Any:
        mhs = shown.rate_per_s / 1e6 / _BOARDS
        nominal_mhs = self.unit.kind.rate_per_s(self.unit.awake_level_w) / 1e6 / _BOARDS
        ramping = shown.phase in {Phase.BOOT, Phase.RAMP_UP, Phase.RAMP_DOWN}
        return [
            {
                "ASC": board, "ID": board, "Status": "Alive", "MHS 5s": mhs, "MHS 5m": mhs, "Nominal MHS": nominal_mhs,
                "Profile": self._profile(), "IsUserShutdown": False, "IsRamping": ramping,
            }
            for board in range(_BOARDS)
        ]  # fmt: skip

    def _temps(self, shown: Shown) -> Any:
        hot_c = 30.0 + 35.0 * shown.power_w / self.unit.kind.full_w
        return [{"ID": board, "TopLeft": hot_c, "BottomRight": 45.0} for board in range(_BOARDS)]

    def _profile(self) -> str:
        return min(self._profiles(), key=lambda row: abs(row[1] - self.unit.awake_level_w))[0]

    def _profile_rows(self) -> Any:
        return [
            {
                "Profile Name": name, "Watts": round(power_w),
                "Hashrate (TH)": self.unit.kind.rate_per_s(power_w) / 1e12, "Frequency": 300, "Voltage": 13.0,
                "Step": "0", "IsTuned": True, "IsDynamic": False,
            }
            for name, power_w in self._profiles()
        ]  # fmt: skip

    def _session_row(self) -> dict[str, Any]:
        return {"SESSION": [{"SessionID": self._session}]}

    def _status(self, code: int, message: str, letter: str = "S") -> dict[str, Any]:
        row = {"STATUS": letter, "When": int(self.clock()), "Code": code, "Msg": message, "Description": MARK}
        return {"STATUS": [row], "id": 1}


def _sent(document: dict[str, Any]) -> bytes:
    return json.dumps(document, separators=(",", ":")).encode() + b"\0"
