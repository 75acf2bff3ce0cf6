"""The REST interface of a simulated machine with Braiins OS: login, pause and resume, and a power target.

References
----------
Braiins OS, REST API 1.7.0.
"""

import json
from typing import Any

from bench.twin.phases import Phase
from bench.twin.servers.antminer import PASSWORD, USER
from bench.twin.servers.identity import mac_address
from bench.twin.servers.speaker import (
    MARK,
    SILENCE,
    HttpRequest,
    Said,
    UnitSpeaker,
    http,
    parse_http,
    whole_http,
)
from bench.twin.unit import Shown

PORT = 80
_API = "/api/v1/"
_TOKEN = "simulated-token"  # noqa: S105 (of a simulated machine)
_BOARDS = 3
_NORMAL, _PAUSED = 2, 3
_STABLE, _TUNING = 2, 3


class Braiins(UnitSpeaker):
    """One machine."""

    def request(self, received: bytearray) -> int:
        """Return the length of a whole request."""
        return whole_http(received)

    def answer(self, request: bytes) -> Said:
        """Answer one request; a login alone changes nothing."""
        read, shown = parse_http(request), self.shown()
        path = read.path.removeprefix(_API)
        if path == "auth/login" and read.method == "POST":
            return SILENCE if shown is None else Said(_login(read))
        changes = read.method != "GET"
        if shown is None:
            return SILENCE._replace(changes=changes)
        if read.headers.get("authorization") != _TOKEN:
            return Said(http(401, {"message": "no token"}), changes=changes)
        if changes:
            return self._change(path, read)
        pages = self._pages(shown)
        return Said(http(200, pages[path]) if path in pages else http(404, {"simulated": True}))

    def _change(self, path: str, request: HttpRequest) -> Said:
        document = request.document()
        if path in {"actions/pause", "actions/resume"}:
            return self.obey(0.0 if path.endswith("pause") else self.unit.awake_level_w, http(200, {}))
        watt = document.get("watt", _watt(document))
        if path in {"performance/power-target", "performance/mode"} and isinstance(watt, int | float):
            return self.obey(float(watt), http(200, {}))
        if path == "performance/dps":
            return Said(http(200, {}), changes=True)
        return Said(http(404, {"simulated": True}), changes=True)

    def _pages(self, shown: Shown) -> dict[str, Any]:
        kind, target_w = self.unit.kind, self.unit.awake_level_w
        rate = _rate(shown.rate_per_s)
        uptime_s = max(1, int(self.clock() - self.unit.start_s))
        tuner = _TUNING if shown.phase in {Phase.BOOT, Phase.RAMP_UP, Phase.TUNING} else _STABLE
        windows = {f"last_{name}": rate for name in ("5s", "15s", "30s", "1m", "5m", "15m")}
        return {
            "miner/stats": {
                "miner_stats": {"real_hashrate": {**windows, "since_restart": rate},
                                "nominal_hashrate": _rate(kind.rate_per_s(target_w))},
                "pool_stats": {"accepted_shares": 10, "rejected_shares": 0, "stale_shares": 0, "last_difficulty": 1e5},
                "power_stats": {"approximated_consumption": {"watt": _whole(shown.power_w)}},
            },
            "miner/details": {
                "status": _PAUSED if shown.level_w == 0.0 else _NORMAL, "bosminer_uptime_s": uptime_s,
                "system_uptime_s": uptime_s, "mac_address": mac_address(self.unit.name), "uid": self.unit.name,
                "serial_number": f"SIM-{self.unit.name}", "miner_identity": {"name": f"Antminer S19 ({MARK})"},
                "bos_version": {"current": "26.04-simulated"}, "sticker_hashrate": _rate(kind.full_rate_per_s),
            },
            "miner/hw/hashboards": {"hashboards": [
                {"id": str(board), "chips_count": 76, "current_frequency": {"hertz": 5e8},
                 "board_temp": {"degree_c": 60.0}, "stats": {"real_hashrate": {"last_1m": _rate(shown.rate_per_s / 3)}}}
                for board in range(1, _BOARDS + 1)
            ]},
            "performance/tuner-state": {
                "overall_tuner_state": tuner,
                "mode_state": {"powertargetmodestate": {"current_target": {"watt": round(target_w)}}},
            },
            "cooling/state": {"fans": []}, "pools": [],
            "configuration/constraints": {"tuner_constraints": {"power_target": {
                "min": {"watt": round(kind.least_w)}, "max": {"watt": round(kind.full_w)},
            }}},
            "configuration/miner": {"dps": {"enabled": False}},
            "performance/mode": {"tunermode": {"target": {"powertarget": {"power_target": {"watt": round(target_w)}}}}},
        }  # fmt: skip


def _login(request: HttpRequest) -> bytes:
    document = request.document()
    right = document.get("username") == USER and document.get("password") == PASSWORD
    return http(200, {"token": _TOKEN, "timeout_s": 3600}) if right else http(401, {"message": "wrong login"})


def _watt(document: dict[str, Any]) -> Any:
    value: Any = document
    for key in ("tunermode", "target", "powertarget", "power_target", "watt"):
        value = value.get(key) if isinstance(value, dict) else None
    return value


def _rate(rate_per_s: float) -> dict[str, float]:
    return {"gigahash_per_second": rate_per_s / 1e9}


def _whole(power_w: float) -> Any:
    return round(power_w) if power_w == power_w else json.loads("NaN")  # noqa: PLR0124 (NaN alone is not itself)
