"""A plug that speaks Kasa's protocol of port 9999: JSON under a running XOR, with its length before it."""

import json
import socket
import struct

from doubles.meters.lines import LinePeer


class KasaPeer(LinePeer):
    """One plug; `newer` hardware counts milliwatts, older hardware watts."""

    def __init__(self, device, table, *, newer=True):
        self.newer = newer
        super().__init__(device, table)

    def _talk(self, connection):
        with connection:
            try:
                while (head := connection.recv(4, socket.MSG_WAITALL)) and len(head) == 4:
                    request = json.loads(_decrypted(connection.recv(struct.unpack(">I", head)[0], socket.MSG_WAITALL)))
                    if self.device.mode == "silent":
                        self._given_up.wait()
                        return
                    if self.device.mode == "refusing":
                        return
                    body = _encrypted(json.dumps(self._answer(request)).encode())
                    connection.sendall(struct.pack(">I", len(body)) + body)
            except OSError:
                return

    def _answer(self, request):
        return {module: {name: self._meter() for name in methods} for module, methods in request.items()}

    def _meter(self):
        figures = self.device.figures()
        power_w, kwh = figures["power"], figures["energy"] / 3.6e6
        if self.device.mode == "sentinel":
            return {"err_code": 0}
        if self.newer:
            return {"err_code": 0, "power_mw": round(power_w * 1e3), "voltage_mv": round(figures["volts"] * 1e3),
                    "current_ma": round(figures["amps"] * 1e3), "total_wh": round(kwh * 1e3)}  # fmt: skip
        return {"err_code": 0, "power": power_w, "voltage": figures["volts"], "current": figures["amps"], "total": kwh}


def _encrypted(text):
    key, out = 171, bytearray()
    for byte in text:
        key ^= byte
        out.append(key)
    return bytes(out)


def _decrypted(data):
    key, out = 171, bytearray()
    for byte in data:
        out.append(key ^ byte)
        key = byte
    return bytes(out)
