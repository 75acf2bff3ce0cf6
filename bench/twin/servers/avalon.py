"""A simulated Canaan Avalon at TCP 4028: text in brackets, soft off, and soft on without an answer.

References
----------
Canaan, Avalon API: `estats`, `ascset`. 256foundation/asic-rs: `softon` closes the connection.
"""

import json
from typing import Any

from bench.twin.servers.identity import mac_address
from bench.twin.servers.speaker import MARK, SILENCE, Said, UnitSpeaker, whole_json
from bench.twin.unit import Shown

PORT = 4028
_BOARDS = 3
_SUPPLY = 0.92  # [-] efficiency of the power supply
_WORKING_W = 400.0  # [W] above which the firmware calls it work


class Avalon(UnitSpeaker):
    """One machine."""

    def request(self, received: bytearray) -> int:
        """Return the length of a whole command."""
        return whole_json(received)

    def answer(self, request: bytes) -> Said:
        """Answer one command."""
        try:
            document = json.loads(request)
        except ValueError:
            document = {"command": request.decode("latin-1").partition("|")[0].strip()}
        command = str(document.get("command", "")) if isinstance(document, dict) else ""
        shown = self.shown()
        if shown is None:
            return SILENCE._replace(changes=command == "ascset")
        replies = {"version": self._version, "summary": self._summary, "estats": self._estats, "pools": self._pools}
        if command in replies:
            return Said(self._sent(command.upper(), replies[command](shown)))
        return self._set(str(document.get("parameter", "")) if command == "ascset" else "")

    def _set(self, parameter: str) -> Said:
        words = parameter.split(",")
        if len(words) > 1 and words[1] == "softoff":
            return self.obey(0.0, self._sent("", "success softoff", "I"))
        if len(words) > 1 and words[1] == "softon":
            said = self.obey(self.unit.awake_level_w, b"")
            return said if said.silent else Said(None, changes=True)
        if len(words) > 1 and words[1] == "workmode" and words[-1] in {"0", "1"}:
            kind = self.unit.kind
            return self.obey(kind.least_w if words[-1] == "0" else kind.full_w, self._sent("", "success workmode", "I"))
        return Said(self._sent("", "Invalid command", "E"), changes=True)

    def _version(self, _: Shown) -> Any:
        mac = mac_address(self.unit.name).replace(":", "")
        return [{
            "CGMiner": "4.11.1", "API": "3.7", "PROD": f"AvalonMiner 15-194 ({MARK})", "MODEL": "15-194",
            "VERSION": "24102401_simulated", "DNA": f"02010000{mac[:8]}", "MAC": mac,
        }]  # fmt: skip

    def _summary(self, shown: Shown) -> Any:
        mhs = shown.rate_per_s / 1e6
        return [{"Elapsed": self._elapsed_s(), "MHS av": mhs, "MHS 5s": mhs, "MHS 1m": mhs, "Accepted": 10,
                 "Rejected": 0, "Difficulty Accepted": 1e6}]  # fmt: skip

    def _estats(self, shown: Shown) -> Any:
        ghs, kind = shown.rate_per_s / 1e9, self.unit.kind
        nominal_ghs = kind.rate_per_s(self.unit.awake_level_w) / 1e9
        state = "In Work" if shown.level_w > 0.0 and shown.power_w > _WORKING_W else "In Idle"
        boards = " ".join([f"{ghs / _BOARDS:.2f}"] * _BOARDS)
        mode = 1 if self.unit.awake_level_w > 0.5 * (kind.least_w + kind.full_w) else 0
        text = (
            f"Ver[15-194-24102401_simulated] SYSTEMSTATU[Work: {state}, Hash Board: {_BOARDS} ] "
            f"Elapsed[{self._elapsed_s()}] Temp[31] TMax[78] TAvg[70] Fan1[4250] FanR[48%] "
            f"PS[0 1209 1187 297 {_SUPPLY * shown.power_w:.0f} 1188 {shown.power_w:.0f}] "
            f"GHSspd[{ghs:.2f}] GHSmm[{nominal_ghs:.2f}] GHSavg[{ghs:.2f}] Freq[346.50] MGHS[{boards}] TA[480] "
            f"SoftOFF[{1 if shown.level_w == 0.0 else 0}] ECHU[0 0 0] ECMM[0] "
            f"MPO[{_SUPPLY * self.unit.awake_level_w:.0f}] WORKMODE[{mode}] WORKLEVEL[0]"
        )
        return [{"STATS": 0, "ID": "AVA100", "Elapsed": self._elapsed_s(), "MM ID0": text}]

    def _pools(self, _: Shown) -> Any:
        return []

    def _elapsed_s(self) -> int:
        return max(1, int(self.clock() - self.unit.start_s))

    def _sent(self, key: str, content: Any, letter: str = "S") -> bytes:
        key = "STATS" if key == "ESTATS" else key
        message = content if isinstance(content, str) else key.lower()
        row = {"STATUS": letter, "When": int(self.clock()), "Code": 118, "Msg": message, "Description": MARK}
        document = {"STATUS": [row], "id": 1} | ({key: content} if key else {})
        return json.dumps(document, separators=(",", ":")).encode() + b"\0"
