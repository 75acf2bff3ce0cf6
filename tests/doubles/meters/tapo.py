"""A Tapo plug: JSON over KLAP version 2 on a real socket, the plug's side of it."""

import hashlib
import json
import secrets
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

from cryptography.hazmat.primitives import padding
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

USER, PASSWORD = "reader@example.org", "correct horse"


def sha256(*parts):
    return hashlib.sha256(b"".join(parts)).digest()


class TapoPeer:
    """One plug; `handshakes` and `proofs` count the two parts of the handshake, `asked` the requests."""

    def __init__(self, device, _table, *, password=PASSWORD, compatible=True):
        self.device, self.compatible = device, compatible
        self.handshakes = self.proofs = self.asked = 0
        self._owner = sha256(*(hashlib.sha1(text.encode()).digest() for text in (USER, password)))
        self._sessions, self._given_up = {}, threading.Event()
        peer = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self):
                peer.answer(self, self.rfile.read(int(self.headers["Content-Length"])))

            def log_message(self, *_):
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.port = self._server.server_address[1]
        threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True).start()

    @property
    def target(self):
        return f"127.0.0.1:{self.port}"

    def forget(self):
        """End every session, as a plug does that restarts."""
        self._sessions.clear()

    def close(self):
        if self._given_up.is_set():
            return
        self._given_up.set()
        self._server.shutdown()
        self._server.server_close()

    def answer(self, request, body):
        if self.device.mode == "silent":
            self._given_up.wait()
            return
        url = urlsplit(request.path)
        name = (request.headers.get("Cookie") or "").partition("TP_SESSIONID=")[2].partition(";")[0]
        if self.device.mode == "refusing":
            _send(request, 500)
        elif url.path == "/app/handshake1":
            self._greet(request, body)
        elif url.path == "/app/handshake2" and name in self._sessions:
            self.proofs += 1
            local, remote = self._sessions[name]
            _send(request, 200 if body == sha256(remote, local, self._owner) else 403)
        elif url.path == "/app/request" and name in self._sessions:
            self.asked += 1
            self._reply(request, self._sessions[name], int(parse_qs(url.query)["seq"][0]), body)
        else:
            _send(request, 403)

    def _greet(self, request, local):
        self.handshakes += 1
        if not self.compatible:
            _send(request, 403)
            return
        name, remote = secrets.token_hex(16).upper(), secrets.token_bytes(16)
        self._sessions[name] = local, remote
        _send(request, 200, remote + sha256(local, remote, self._owner), f"TP_SESSIONID={name};TIMEOUT=86400")

    def _reply(self, request, seeds, count, body):
        secret = b"".join(seeds) + self._owner
        counter = count.to_bytes(4, signed=True)
        cipher = Cipher(algorithms.AES(sha256(b"lsk", secret)[:16]), modes.CBC(sha256(b"iv", secret)[:12] + counter))
        signing = sha256(b"ldk", secret)[:28]
        assert body[:32] == sha256(signing, counter, body[32:])
        opened, unpadder = cipher.decryptor(), padding.PKCS7(128).unpadder()
        text = unpadder.update(opened.update(body[32:]) + opened.finalize()) + unpadder.finalize()
        sealed, padder = cipher.encryptor(), padding.PKCS7(128).padder()
        answer = json.dumps(self._document(json.loads(text)["method"])).encode()
        message = sealed.update(padder.update(answer) + padder.finalize()) + sealed.finalize()
        _send(request, 200, sha256(signing, counter, message) + message)

    def _document(self, method):
        figures = self.device.figures()
        if method == "get_device_info":
            return {"error_code": 0, "result": device_info()}
        if method != "get_energy_usage":
            return {"error_code": -1001}
        if self.device.mode == "sentinel":
            return {"error_code": 0, "result": {}}
        return {"error_code": 0, "result": {
            "today_runtime": 70, "month_runtime": 700, "today_energy": 5, "month_energy": 50,
            "local_time": "2026-11-30 12:00:00", "electricity_charge": [0, 0, 0],
            "current_power": round(figures["power"] * 1e3),
        }}  # fmt: skip


def device_info():
    """Return what a plug says of itself, as programs of others ask before they read the power."""
    return {
        "device_id": "0" * 40, "fw_ver": "1.3.1 Build 240621 Rel.162048", "hw_ver": "1.0", "type": "SMART.TAPOPLUG",
        "model": "P110", "mac": "00-00-00-00-00-00", "hw_id": "0" * 32, "fw_id": "0" * 32, "oem_id": "0" * 32,
        "ip": "127.0.0.1", "time_diff": 0, "ssid": "", "rssi": -50, "signal_level": 3, "latitude": 0, "longitude": 0,
        "lang": "", "avatar": "plug", "region": "UTC", "specs": "", "nickname": "cGx1Zw==",
        "has_set_location_info": False,
        "device_on": True, "on_time": 60, "default_states": {"type": "last_states", "state": {}},
        "overheat_status": "normal", "power_protection_status": "normal", "overcurrent_status": "normal",
        "charging_status": "normal",
    }  # fmt: skip


def _send(request, status, body=b"", cookie=""):
    request.send_response(status)
    request.send_header("Content-Length", str(len(body)))
    if cookie:
        request.send_header("Set-Cookie", cookie)
    request.end_headers()
    request.wfile.write(body)
