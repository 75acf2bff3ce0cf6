"""AxeOS of a simulated Bitaxe: its state, pause and resume, and a clock that sets power and rate.

References
----------
bitaxeorg/ESP-Miner: `/api/system/info`, `/api/system/asic`, `PATCH /api/system`, `/api/system/pause` and `resume`.
"""

from bench.twin.phases import Phase
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
_CLOCKS_MHZ = (400, 425, 450, 475, 500, 525)


class AxeOS(UnitSpeaker):
    """One board."""

    def request(self, received: bytearray) -> int:
        """Return the length of a whole request."""
        return whole_http(received)

    def answer(self, request: bytes) -> Said:
        """Answer one request."""
        read, shown = parse_http(request), self.shown()
        changes = read.method != "GET"
        if shown is None:
            return SILENCE._replace(changes=changes)
        if changes:
            return self._change(read)
        if read.path == "/api/system/asic":
            return Said(http(200, {"ASICModel": "BM1370", "asicCount": 1, "frequencyOptions": list(_CLOCKS_MHZ),
                                   "deviceModel": f"Gamma ({MARK})"}))  # fmt: skip
        return Said(http(200, self._info(shown)) if read.path == "/api/system/info" else http(404, {"simulated": True}))

    def _change(self, request: HttpRequest) -> Said:
        if request.method == "POST" and request.path in {"/api/system/pause", "/api/system/resume"}:
            return self.obey(0.0 if request.path.endswith("pause") else self.unit.awake_level_w, http(200))
        clock_mhz = request.document().get("frequency")
        if request.method == "PATCH" and request.path == "/api/system" and clock_mhz in _CLOCKS_MHZ:
            return self.obey(self._level_w(int(clock_mhz)), http(200))
        return Said(http(404, {"simulated": True}), changes=True)

    def _level_w(self, clock_mhz: int) -> float:
        kind, lowest, highest = self.unit.kind, _CLOCKS_MHZ[0], _CLOCKS_MHZ[-1]
        return kind.least_w + (kind.full_w - kind.least_w) * (clock_mhz - lowest) / (highest - lowest)

    def _info(self, shown: Shown) -> dict[str, object]:
        level_w = self.unit.awake_level_w
        clock_mhz = min(_CLOCKS_MHZ, key=lambda clock: abs(self._level_w(clock) - level_w))
        return {
            "simulated": True, "ASICModel": "BM1370", "deviceModel": f"Gamma ({MARK})", "boardVersion": "601",
            "hashRate": shown.rate_per_s / 1e9, "hashRate_1m": shown.rate_per_s / 1e9,
            "expectedHashrate": self.unit.kind.rate_per_s(level_w) / 1e9, "errorPercentage": 0.1,
            "power": shown.power_w, "voltage": 5100.0, "current": shown.power_w / 5.1 * 1000.0, "coreVoltage": 1150,
            "coreVoltageActual": 1145, "frequency": clock_mhz, "actualFrequency": clock_mhz, "temp": 58.0,
            "vrTemp": 60, "fanspeed": 60, "fanrpm": 4200, "sharesAccepted": 100, "sharesRejected": 0,
            "miningPaused": shown.level_w == 0.0, "overheat_mode": 0, "macAddr": mac_address(self.unit.name).upper(),
            "hostname": self.unit.name, "version": "2.99-simulated", "axeOSVersion": "2.99-simulated",
            "uptimeSeconds": max(1, int(self.clock() - self.unit.start_s)), "stratumURL": "pool.example.com",
            "stratumPort": 3333, "stratumUser": "simulated", "asicCount": 1,
            "hardware_fault": "" if shown.phase is not Phase.STUCK else "no hashes",
        }  # fmt: skip
