"""TP-Link Kasa plugs that answer on port 9999: JSON under a running XOR, with its length before it.

Newer hardware counts milliwatts and watt-hours, older hardware watts and kilowatt-hours; the names of the keys tell
which. Plugs with later firmware want an encrypted login instead and are not read; Tapo plugs are a transport of their
own.

References
----------
softScheck, "Reverse engineering the TP-Link HS110" (2016): the cipher and the emeter module.
"""

import json
import socket
import struct
import time
from collections.abc import Mapping, Sequence
from typing import Any

from bench.meters.points.entry import entry
from bench.meters.points.transport import Raw, Transport, TransportKind, check_keys, value_in
from bench.network.errors import ReadFailedError
from bench.network.http import number_of
from bench.network.reach import SETTING as PUBLIC
from bench.network.reach import check_private, remote_of
from bench.network.tcp import HostPort, left_s

PORT = 9999
TIMEOUT_S = 3.0  # [s] of one request
MOST_BYTES = 65536  # of one answer
_KEY = 171  # of the cipher, which hides nothing
_FIGURES = {  # name: key and factor of newer hardware, key of older hardware
    "power": ("power_mw", 1e-3, "power"),
    "energy": ("total_wh", 1e-3, "total"),
    "volts": ("voltage_mv", 1e-3, "voltage"),
    "amps": ("current_ma", 1e-3, "current"),
}


class Kasa(Transport):
    """One plug."""

    def __init__(self, remote: HostPort, settings: Mapping[str, str], place: str) -> None:
        self.name = f"{remote.host}:{remote.port}"
        self._remote, self._settings, self._place = remote, settings, place

    def place_of(self, at: Mapping[str, Any]) -> str:
        """Return the figure of `{ figure = "power" }`."""
        check_keys(at, {"figure": str})
        if at["figure"] not in _FIGURES:
            raise ValueError(f"expected a figure, one of {', '.join(_FIGURES)}, got {at['figure']!r}")
        return str(at["figure"])

    def open(self) -> None:
        """Look at the address; each reading is a connection of its own."""
        check_private(self._remote, self._settings, self._place, TIMEOUT_S)

    def read(self, places: Sequence[str]) -> list[Raw]:
        """Return the figures of one answer."""
        try:
            answer = json.loads(self._exchange(b'{"emeter":{"get_realtime":{}}}', time.monotonic() + TIMEOUT_S))
        except (OSError, ValueError, RecursionError) as error:
            raise self._unexpected(str(error) or "no answer in time") from None
        figures = value_in(answer, ("emeter", "get_realtime"))
        if not isinstance(figures, dict):
            raise self._unexpected("an answer without them")
        return [_figure(figures, place) for place in places]

    def _unexpected(self, got: str) -> ReadFailedError:
        return ReadFailedError(f"{self.name}: expected the figures of a Kasa plug with a meter, got {got}")

    def _exchange(self, request: bytes, deadline: float) -> bytes:
        with self._remote.connect(deadline) as line:
            line.settimeout(left_s(deadline))
            line.sendall(struct.pack(">I", len(request)) + _encrypted(request))
            (length,) = struct.unpack(">I", _received(line, 4, deadline))
            if length > MOST_BYTES:
                raise ValueError(f"an answer of {length} bytes")
            return _decrypted(_received(line, length, deadline))


def _figure(figures: Mapping[str, Any], name: str) -> Raw:
    """Return a figure in W, kWh, V or A, whichever hardware sent it."""
    newer, factor, older = _FIGURES[name]
    number = number_of(figures.get(newer))
    return number_of(figures.get(older)) if number is None else number * factor


def _received(line: socket.socket, count: int, deadline: float) -> bytes:
    data = b""
    while len(data) < count:
        line.settimeout(left_s(deadline))
        part = line.recv(count - len(data))
        if not part:
            raise ValueError("an answer that ends too early")
        data += part
    return data


def _encrypted(text: bytes) -> bytes:
    key, out = _KEY, bytearray()
    for byte in text:
        key ^= byte
        out.append(key)
    return bytes(out)


def _decrypted(data: bytes) -> bytes:
    key, out = _KEY, bytearray()
    for byte in data:
        out.append(key ^ byte)
        key = byte
    return bytes(out)


def _make(target: str, settings: Mapping[str, str], _table_settings: Mapping[str, Any], place: str) -> Kasa:
    return Kasa(remote_of(target, place, PORT), settings, place)


ENTRY = entry(TransportKind("kasa", "a TP-Link Kasa plug", "10.0.0.3", (PUBLIC,), 1.0, _make))
