"""The simulated wall meter as a Modbus/TCP meter: the registers of an Eastron SDM630, which only reads.

References
----------
Modbus application protocol V1.1b3, functions 3 and 4. Eastron SDM630 Modbus V2, input registers (float32, the high word
first): volts from 0x0000, amps from 0x0006, watts from 0x000C, power factor from 0x001E, import in kWh at 0x0048.
"""

import math
import struct

from bench.twin.clock import SimulatedClock
from bench.twin.feeder import WallMeter
from bench.twin.servers.speaker import Said, Traffic

TABLE = "eastron-sdm630"
_PHASES = 3
_VOLTS = 400.0  # [V] of a phase
_HEAD = struct.Struct(">HHHB")
_READ_FUNCTIONS = frozenset({3, 4})
_LAST_REGISTER = 0x0060
_MOST_REGISTERS = 125


class ModbusMeter:
    """The server of one wall meter.

    Who reads it integrates power over real time, so its energy counts that too: simulated joules over the speed.
    """

    def __init__(self, meter: WallMeter, clock: SimulatedClock) -> None:
        self.meter, self.clock, self.traffic = meter, clock, Traffic()

    def request(self, received: bytearray) -> int:
        """Return the length of a whole frame; 0 if more must come."""
        if len(received) < 6:
            return 0
        length = 6 + int.from_bytes(received[4:6], "big")
        return length if len(received) >= length else 0

    def answer(self, request: bytes) -> Said:
        """Answer one request: registers, or the exception for what such a meter does not do."""
        if len(request) < 8:
            return Said(None, changes=True)
        transaction, protocol, _, device = _HEAD.unpack_from(request)
        function, body = request[7], request[8:]
        if function not in _READ_FUNCTIONS:
            return Said(_framed(transaction, protocol, device, bytes((function | 0x80, 1))), changes=True)
        if len(body) != 4:
            return Said(_framed(transaction, protocol, device, bytes((function | 0x80, 3))))
        first, count = struct.unpack(">HH", body)
        if not 1 <= count <= _MOST_REGISTERS or first + count > _LAST_REGISTER:
            return Said(_framed(transaction, protocol, device, bytes((function | 0x80, 2))))
        words = self._registers()
        values = struct.pack(f">{count}H", *(words.get(at, 0) for at in range(first, first + count)))
        return Said(_framed(transaction, protocol, device, bytes((function, len(values))) + values))

    def _registers(self) -> dict[int, int]:
        now_s = self.clock()
        _, power_w = self.meter.reading(now_s)
        phase_w = power_w / _PHASES if math.isfinite(power_w) else math.nan
        words: dict[int, int] = {}
        for phase in range(_PHASES):
            for base, value in ((0x00, _VOLTS), (0x06, phase_w / _VOLTS), (0x0C, phase_w), (0x1E, 1.0)):
                _put(words, base + 2 * phase, value)
        _put(words, 0x48, self.meter.energy_j(now_s) / (self.clock.speed or 1.0) / 3.6e6)
        return words


def _put(words: dict[int, int], register: int, value: float) -> None:
    words[register], words[register + 1] = struct.unpack(">HH", struct.pack(">f", value))


def _framed(transaction: int, protocol: int, device: int, body: bytes) -> bytes:
    return _HEAD.pack(transaction, protocol, len(body) + 1, device) + body
