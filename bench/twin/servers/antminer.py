"""A simulated Antminer with stock firmware: TCP 4028, and web pages with a digest login.

The mode is shown as `bitmain-work-mode` and set as `miner-mode`: the other key is acknowledged without effect. Asleep,
`stats` and `summary` are lists without rows.

References
----------
256foundation/asic-rs, issue 249. RFC 2617 (digest, MD5, qop auth).
"""

import json
import re
from hashlib import md5
from typing import Any

from bench.twin.servers.identity import mac_address
from bench.twin.servers.speaker import (
    MARK,
    SILENCE,
    Said,
    UnitSpeaker,
    http,
    parse_http,
    whole_http,
    whole_json,
)
from bench.twin.unit import Shown

PORT, WEB_PORT = 4028, 80
USER, PASSWORD = "root", "root"
_REALM, _NONCE = "antMiner Configuration", "5e1f0badc0ffee00"
_BOARDS = 3
_SLEEP, _NORMAL, _LOW = "1", "0", "3"


def mode_of(level_w: float, full_w: float) -> str:
    """Return the number of the mode that has a power."""
    return _SLEEP if level_w == 0.0 else _NORMAL if level_w > 0.9 * full_w else _LOW


class AntminerApi(UnitSpeaker):
    """Port 4028, which only reads."""

    def request(self, received: bytearray) -> int:
        """Return the length of a whole command."""
        return whole_json(received)

    def answer(self, request: bytes) -> Said:
        """Answer one command."""
        try:
            document = json.loads(request)
        except ValueError:
            document = {}
        command = str(document.get("command", "")) if isinstance(document, dict) else ""
        shown = self.shown()
        if shown is None:
            return SILENCE
        tables = {"version": self._version, "summary": self._summary, "stats": self._stats, "pools": self._pools}
        if command not in tables:
            row = {"STATUS": "E", "Code": 45, "Msg": f"Access denied to '{command[:40]}' command"}
            return Said(_sent({"STATUS": [row], "id": 1}), changes=True)
        status = {"STATUS": "S", "When": int(self.clock()), "Code": 70, "Msg": command, "Description": MARK}
        return Said(_sent({"STATUS": [status], command.upper(): tables[command](shown), "id": 1}))

    def _version(self, _: Shown) -> Any:
        return [self._header() | {"API": "3.1"}]

    def _header(self) -> dict[str, str]:
        return {"BMMiner": "1.0.0", "Miner": "simulated", "CompileTime": MARK, "Type": "Antminer S21"}

    def _summary(self, shown: Shown) -> Any:
        ghs = shown.rate_per_s / 1e9
        row = {"Elapsed": self._elapsed_s(), "GHS 5s": ghs, "GHS 30m": ghs, "GHS av": ghs, "Hardware Errors": 0,
               "Accepted": 10, "Rejected": 0, "Difficulty Accepted": 1e6}  # fmt: skip
        return [row] if shown.level_w > 0.0 else []

    def _stats(self, shown: Shown) -> Any:
        if shown.level_w == 0.0:
            return []
        ghs = shown.rate_per_s / 1e9
        boards: dict[str, Any] = {}
        for index in range(1, _BOARDS + 1):
            boards |= {f"chain_acn{index}": 108, f"chain_rate{index}": f"{ghs / _BOARDS:.2f}", f"freq{index}": 490,
                       f"temp_pcb{index}": "60-55-62-57", f"temp_chip{index}": "70-65-72-67"}  # fmt: skip
        nominal_ghs = self.unit.kind.rate_per_s(self.unit.awake_level_w) / 1e9
        figures = {"STATS": 0, "ID": "BTM_SOC0", "Elapsed": self._elapsed_s(), "GHS 5s": ghs, "GHS av": ghs,
                   "rate_30m": ghs, "rate_unit": "GH", "total_rateideal": nominal_ghs, "fan_num": 4,
                   "fan1": 4500, **boards}  # fmt: skip
        return [self._header(), figures]

    def _pools(self, _: Shown) -> Any:
        return []

    def _elapsed_s(self) -> int:
        return max(1, int(self.clock() - self.unit.start_s))


class AntminerWeb(UnitSpeaker):
    """The web pages."""

    def request(self, received: bytearray) -> int:
        """Return the length of a whole request."""
        return whole_http(received)

    def answer(self, request: bytes) -> Said:
        """Answer one request; without the right digest, by the challenge."""
        read = parse_http(request)
        writes = read.method != "GET"
        shown = self.shown()
        if shown is None:
            return SILENCE._replace(changes=writes)
        if not _may(read.headers.get("authorization", ""), read.method):
            challenge = f'Digest realm="{_REALM}", nonce="{_NONCE}", qop="auth", algorithm=MD5'
            return Said(http(401, headers={"WWW-Authenticate": challenge}), changes=writes)
        if read.path == "/cgi-bin/set_miner_conf.cgi" and read.method == "POST":
            return self._set(read.document())
        pages: dict[str, Any] = {
            "/cgi-bin/get_miner_conf.cgi": self._conf(shown),
            "/cgi-bin/get_system_info.cgi": {"minertype": "Antminer S21", "macaddr": mac_address(self.unit.name),
                                             "serinum": f"SIM-{self.unit.name}", "firmware_type": MARK},
        }  # fmt: skip
        return Said(http(200, pages[read.path]) if read.path in pages else http(404), changes=writes)

    def _conf(self, shown: Shown) -> dict[str, Any]:
        pool = {"url": "stratum+tcp://pool.example.com:3333", "user": "simulated", "pass": "x"}
        mode = mode_of(shown.level_w, self.unit.kind.full_w)
        return {"pools": [pool], "bitmain-fan-ctrl": False, "bitmain-fan-pwm": "100", "bitmain-work-mode": mode,
                "bitmain-freq-level": "100"}  # fmt: skip

    def _set(self, conf: dict[str, Any]) -> Said:
        kind, done = self.unit.kind, http(200, {"stats": "success", "code": "M000", "msg": "OK!"})
        levels = {_SLEEP: 0.0, _LOW: kind.least_w, _NORMAL: kind.full_w, "2": kind.full_w}
        mode = str(conf.get("miner-mode", ""))
        return self.obey(levels[mode], done) if mode in levels else Said(done, changes=True)


def _may(stated: str, method: str) -> bool:
    """Return whether an Authorization header has the right answer to the challenge."""
    words = dict(re.findall(r'(\w+)="?([^",]+)"?', stated))
    if words.get("nonce") != _NONCE or words.get("username") != USER:
        return False
    secret = _md5(f"{USER}:{_REALM}:{PASSWORD}")
    target = _md5(f"{method}:{words.get('uri', '')}")
    middle = f"{_NONCE}:{words.get('nc', '')}:{words.get('cnonce', '')}:auth"
    return words.get("response") == _md5(f"{secret}:{middle}:{target}")


def _md5(text: str) -> str:
    return md5(text.encode(), usedforsecurity=False).hexdigest()


def _sent(document: dict[str, Any]) -> bytes:
    return json.dumps(document, separators=(",", ":")).encode() + b"\0"
