"""Modbus over TCP, and Modbus RTU frames over TCP as serial gateways carry them.

References
----------
Modbus application protocol V1.1b3, function codes 3 (holding registers) and 4 (input registers). pymodbus 3.
"""

import logging
import math
import re
import struct
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from bench.meters.errors import MeterError
from bench.meters.points.entry import entry
from bench.meters.points.transport import Raw, Transport, TransportKind, check_keys
from bench.network.errors import ReadFailedError
from bench.network.reach import SETTING as PUBLIC
from bench.network.reach import check_private, remote_of
from bench.network.tcp import HostPort
from hardware_profiles.errors import InputError

TIMEOUT_S = 2.0  # [s] of one request
PORT = 502
MOST_REGISTERS = 125  # of one request, by the protocol
_TYPES = {  # struct's letter and the number of 16-bit registers
    "int16": ("h", 1), "uint16": ("H", 1), "int32": ("i", 2), "uint32": ("I", 2), "int64": ("q", 4), "uint64": ("Q", 4),
    "float32": ("f", 2), "float64": ("d", 4),
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Register:
    """One value in consecutive registers."""

    function: int  # 3 or 4
    address: int  # zero-based, as on the wire
    type: str
    low_word_first: bool

    @property
    def count(self) -> int:
        """Number of registers."""
        return _TYPES[self.type][1]

    def value(self, words: Sequence[int]) -> int | float | None:
        """Return the value of its registers; None for a pattern that stands for "no value"."""
        ordered = list(reversed(words)) if self.low_word_first else list(words)
        letter = _TYPES[self.type][0]
        (number,) = struct.unpack(f">{letter}", struct.pack(f">{len(ordered)}H", *ordered))
        bits = 16 * len(words)
        nothing = {"u": {2**bits - 1}, "i": {2 ** (bits - 1) - 1, -(2 ** (bits - 1))}, "f": set()}[self.type[0]]
        return None if number in nothing or math.isnan(number) else number


class Modbus(Transport):
    """A device or a gateway."""

    def __init__(self, remote: HostPort, device_id: int, *, rtu: bool, settings: Mapping[str, str], place: str) -> None:
        self.name = f"{remote.host}:{remote.port}/{device_id}"
        self._remote, self._device_id, self._rtu = remote, device_id, rtu
        self._settings, self._place = settings, place
        self._client: Any = None

    def place_of(self, at: Mapping[str, Any]) -> Register:
        """Return the register of `{ function = 4, register = 0x34, type = "float32" }`."""
        check_keys(at, {"function": int, "register": int, "type": str}, {"words": str})
        if at["function"] not in {3, 4}:
            raise ValueError(f"expected function 3 or 4, got {at['function']}")
        if not 0 <= at["register"] <= 0xFFFF:
            raise ValueError(f"expected a register from 0 to 65535, got {at['register']}")
        if at["type"] not in _TYPES:
            raise ValueError(f"expected a type, one of {', '.join(_TYPES)}, got {at['type']!r}")
        words = at.get("words", "high_first")
        if words not in {"high_first", "low_first"}:
            raise ValueError(f"expected words high_first or low_first, got {words!r}")
        return Register(at["function"], at["register"], at["type"], words == "low_first")

    def open(self) -> None:
        """Connect."""
        try:
            from pymodbus import FramerType
            from pymodbus.client import ModbusTcpClient
        except ImportError:
            raise MeterError(f"{self._place}: needs pymodbus: pip install 'perwatt[meters]'") from None
        logging.getLogger("pymodbus.logging").setLevel(logging.CRITICAL)  # it writes each failed request to stderr
        check_private(self._remote, self._settings, self._place, TIMEOUT_S)
        framer = FramerType.RTU if self._rtu else FramerType.SOCKET
        self._client = ModbusTcpClient(
            self._remote.host, port=self._remote.port, framer=framer, timeout=TIMEOUT_S, retries=0, reconnect_delay=0
        )

    def read(self, places: Sequence[Register]) -> list[Raw]:
        """Return the values; registers within one request's reach are read together, so that they are of one moment."""
        words: dict[tuple[int, int], int] = {}
        for function, first, last in _spans(places):
            for offset, word in enumerate(self._request(function, first, last - first)):
                words[function, first + offset] = word
        return [
            place.value([words[place.function, place.address + offset] for offset in range(place.count)])
            for place in places
        ]

    def close(self) -> None:
        """Close the connection."""
        if self._client is not None:
            self._client.close()

    def _request(self, function: int, address: int, count: int) -> list[int]:
        from pymodbus.exceptions import ModbusException

        where = f"{self.name}: function {function}, register {address}"
        try:
            if not self._client.connected and not self._client.connect():
                raise ReadFailedError(f"{self.name}: no connection")
            ask = self._client.read_holding_registers if function == 3 else self._client.read_input_registers
            answer = ask(address, count=count, device_id=self._device_id)
        except (ModbusException, OSError) as error:
            self._client.close()  # a late answer must not be taken for the next one
            text = f"no answer in {TIMEOUT_S:g} s" if "No response" in str(error) else str(error)
            raise ReadFailedError(f"{where}: {text}") from None
        if answer.isError():
            code = int(getattr(answer, "exception_code", 0))
            raise ReadFailedError(f"{where}: the device refuses: {_EXCEPTIONS.get(code, f'exception {code}')}")
        if len(answer.registers) != count:
            raise ReadFailedError(f"{where}: expected {count} registers, got {len(answer.registers)}")
        return list(answer.registers)


_EXCEPTIONS = {1: "it does not know this function", 2: "it has no such register", 3: "it does not accept the number of "
               "registers", 4: "it failed", 6: "it is busy", 10: "no path to this device_id", 11: "this device_id does "
               "not answer"}  # fmt: skip


def _spans(places: Sequence[Register]) -> list[tuple[int, int, int]]:
    """Return function, first and last register + 1 of each request.

    Only registers that a table names are asked for, because some meters refuse a request that touches one which they do
    not have. So only registers side by side share a request.
    """
    spans: list[tuple[int, int, int]] = []
    for place in sorted(places, key=lambda place: (place.function, place.address)):
        end = place.address + place.count
        if spans:
            function, first, last = spans[-1]
            near = function == place.function and place.address <= last and end - first <= MOST_REGISTERS
            if near:
                spans[-1] = (function, first, max(last, end))
                continue
        spans.append((place.function, place.address, end))
    return spans


def _make(target: str, settings: Mapping[str, str], table_settings: Mapping[str, Any], place: str) -> Modbus:
    remote = remote_of(target, place, PORT)
    unknown = set(table_settings) - {"device_id"}
    if unknown:
        table = f"table {settings['table']}"
        raise InputError.at(table, "transport_settings", expected="device_id", got=", ".join(sorted(unknown)))
    text = settings.get("device_id", str(table_settings.get("device_id", 1)))
    if not re.fullmatch(r"[0-9]{1,3}", text) or int(text) > 247:
        raise InputError.at(place, "device_id", expected="a number from 0 to 247, as set at the meter", got=text)
    frame = settings.get("frame", "tcp")
    if frame not in {"tcp", "rtu"}:
        raise InputError.at(
            place, "frame", expected="tcp, or rtu for a gateway that passes serial frames on", got=frame
        )
    return Modbus(remote, int(text), rtu=frame == "rtu", settings=settings, place=place)


ENTRY = entry(
    TransportKind(
        "modbus", "a meter of a panel or rail over Modbus TCP", "10.0.0.9", ("device_id", "frame", PUBLIC), 1.0, _make
    )
)
