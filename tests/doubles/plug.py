"""A plug on loopback that plays a power curve, and misbehaves in every way that a test asks for."""

import json
import socket
import threading


class FakePlug:
    """Answers HTTP on a real socket; `curve` gives watts over monotonic time, `mode` how it misbehaves."""

    def __init__(self, clock, kind="shelly", curve=lambda _t: 100.0):
        self.clock, self.kind, self.curve, self.mode = clock, kind, curve, "good"
        self.asked, self.finished = 0, False
        self._given_up = threading.Event()
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        self._open = True
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    @property
    def spec(self):
        return f"{self.kind}:127.0.0.1:{self.port}"

    def body(self, path):
        power = self.curve(self.clock.monotonic())
        if self.mode == "frozen":
            power = 100.0
        if self.kind == "shelly":
            if not path.startswith("/rpc/Switch.GetStatus"):
                return None
            return {"id": 0, "output": True, "apower": power, "voltage": 230.0}
        if self.kind == "shelly1":
            return {"meters": [{"power": power, "is_valid": True, "total": 1}]} if path == "/status" else None
        if path.startswith("/cm?"):
            return {"StatusSNS": {"Time": "2026-01-01T00:00:00", "ENERGY": {"Power": power, "Voltage": 230}}}
        return None

    def close(self):
        if not self._open:
            return
        self._open = False
        self._given_up.set()
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._thread.join()

    def _serve(self):
        while self._open:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            with connection:
                try:
                    self._answer(connection)
                except OSError:
                    continue

    def _answer(self, connection):  # noqa: C901, PLR0911, PLR0912 (one way to misbehave each)
        request = connection.recv(4096).decode("ascii", "replace")
        self.asked += 1
        path = request.split(" ")[1] if " " in request else "/"
        found = self.body(path)
        text = json.dumps(found if found is not None else {"code": 404})
        status = "200 OK" if found is not None else "404 Not Found"
        mode = self.mode
        if mode in {"nan", "infinite", "null"}:
            value = {"nan": "NaN", "infinite": "1e400", "null": "null"}[mode]
            text = text.replace(str(found.get("apower")), value) if found is not None else text
        elif mode == "other_id":
            text = text.replace('"id": 0', '"id": 1')
        elif mode == "text":
            text = '{"apower": "lots"}'
        elif mode == "huge_number":
            text = '{"apower": 1' + "0" * 400 + "}"
        elif mode == "not_json":
            text = "<html>plug</html>"
        elif mode == "deep":
            text = "[" * 60_000
        elif mode == "error":
            status = "500 Internal Server Error"
        elif mode == "redirect":
            status = "302 Found\r\nLocation: http://plug.invalid/"
        elif mode == "negative":
            text = '{"apower": -5.0}'
        if mode == "hang_up":
            return
        if mode == "silent":
            self._given_up.wait()
            return
        if mode == "huge":
            connection.sendall(b"HTTP/1.0 200 OK\r\n\r\n" + b" " * 70_000 + b"{}")
            return
        head = f"HTTP/1.0 {status}\r\nContent-Length: {len(text)}\r\n\r\n"
        if mode == "chunked":
            head = f"HTTP/1.1 {status}\r\nTransfer-Encoding: chunked\r\n\r\n"
            connection.sendall(f"{head}{len(text):x}\r\n{text}\r\n0\r\n\r\n".encode())
            return
        if mode == "headers":
            connection.sendall(f"HTTP/1.1 {status}\r\n".encode() + b"X-More: 1\r\n" * 5000)
            return
        if mode == "partial":
            connection.sendall((head + text)[: len(head) + 5].encode())
            return
        if mode == "drip":
            for byte in (head + text).encode():
                connection.sendall(bytes([byte]))
                if self._given_up.wait(0.2):
                    return
            self.finished = True
            return
        connection.sendall((head + text).encode())
