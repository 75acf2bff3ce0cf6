"""A miner on loopback that answers commands over TCP, and misbehaves in every way that a test asks for."""

import json
import socket
import threading
from collections.abc import Callable, Mapping

SILENT_S = 600.0  # [s] longer than any deadline of a test


class FakeMiner:
    """Answers one request a connection, as the cgminer interface or in frames.

    `replies` holds bytes, text, a JSON value or a function that returns one, by command; `quirk` is how it misbehaves.
    """

    def __init__(self, replies: Mapping, *, quirk="", framed=False):
        self.replies, self.quirk, self.framed = dict(replies), quirk, framed
        self.requests, self.open_now, self.most_open = [], 0, 0
        self._closing = threading.Event()
        self._count = threading.Lock()
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        self._threads = [threading.Thread(target=self._serve, daemon=True)]
        self._threads[0].start()

    def close(self):
        if not self._closing.is_set():
            self._closing.set()
            self._listener.shutdown(socket.SHUT_RDWR)
            self._listener.close()
            for thread in self._threads:
                thread.join()

    def _serve(self):
        while not self._closing.is_set():
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            thread = threading.Thread(target=self._serve_one, args=(connection,), daemon=True)
            self._threads.append(thread)
            thread.start()

    def _serve_one(self, connection):
        try:
            with connection:
                connection.settimeout(10.0)
                self._answer(connection)
        except OSError:
            pass

    def _answer(self, connection):
        with self._count:  # until it is answered: afterwards the asker may already be at its next connection
            self.open_now += 1
            self.most_open = max(self.most_open, self.open_now)
        try:
            request = connection.recv(4096)
            if self.framed:
                if int.from_bytes(request[:4], "little") > len(request):  # not a frame
                    return
                request = request[4:]
            self.requests.append(request.decode("utf-8", "replace"))
            reply = self.reply_to(request)
        finally:
            with self._count:
                self.open_now -= 1
        if self.framed and self.quirk not in QUIRKS:
            reply = len(reply).to_bytes(4, "little") + reply
        send = QUIRKS.get(self.quirk, _send_with_nul if not self.framed else _send)
        send(self, connection, reply)

    def reply_to(self, request: bytes) -> bytes:
        reply = self.replies.get(command_of(request))
        if reply is None:
            reply = {"STATUS": [{"STATUS": "E", "Code": 14, "Msg": "Invalid command"}], "id": 1}
        return encoded(reply() if callable(reply) else reply)

    def wait(self, seconds):
        """Wait until this double is closed, at most so long; returns whether it was."""
        return self._closing.wait(seconds)


def command_of(request: bytes) -> str:
    """Return the command of a request in any of its forms, with the parameter of Whatsminer 3."""
    try:
        document = json.loads(request)
    except ValueError:
        return request.decode("utf-8", "replace").partition("|")[0].strip()
    command = document.get("command", document.get("cmd", ""))
    if document.get("new_api"):
        return f"{command} new_api"
    return f"{command} {document['param']}" if document.get("param") else command


def encoded(reply) -> bytes:
    """Return the bytes of a reply."""
    if isinstance(reply, bytes):
        return reply
    return reply.encode() if isinstance(reply, str) else json.dumps(reply).encode()


def _send(_miner, connection, reply):
    connection.sendall(reply)


def _send_with_nul(_miner, connection, reply):
    connection.sendall(reply + b"\0")


def _stay_open(miner, connection, reply):
    connection.sendall(reply)
    miner.wait(SILENT_S)


def _stay_open_after_nul(miner, connection, reply):
    connection.sendall(reply + b"\0")
    miner.wait(SILENT_S)


def _stay_open_after_line(miner, connection, reply):
    connection.sendall(reply + b"\n")
    miner.wait(SILENT_S)


def _silent(miner, _connection, _reply):
    miner.wait(SILENT_S)


def _hang_up(_miner, _connection, _reply):
    pass


def _huge(_miner, connection, _reply):
    connection.sendall(b'{"STATUS":"' + b"x" * 10_000_000 + b'"}')


def _deep(_miner, connection, _reply):
    connection.sendall(b"[" * 200_000)


def _html(_miner, connection, _reply):
    connection.sendall(b"<!DOCTYPE html><html><title>Router</title></html>")


def _http(_miner, connection, _reply):
    connection.sendall(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n")


def _drip(miner, connection, reply):
    for byte in reply:
        connection.sendall(bytes([byte]))
        if miner.wait(0.05):
            return


def _halves(miner, connection, reply):
    middle = len(reply) // 2
    connection.sendall(reply[:middle])
    miner.wait(0.4)  # longer than the silence that ends a whole document
    connection.sendall(reply[middle:] + b"\0")


def _nul_within(miner, connection, reply):
    middle = len(reply) // 2
    connection.sendall(reply[:middle] + b"\0")
    miner.wait(0.02)
    connection.sendall(reply[middle:] + b"\0")
    miner.wait(SILENT_S)


def _unbalanced(miner, connection, reply):
    connection.sendall(reply[:-1] + b"\0")
    miner.wait(SILENT_S)


def _escapes(miner, connection, reply):
    for byte in reply:
        connection.sendall(bytes([byte]))
        if byte in b"\\":
            miner.wait(0.02)  # the next byte comes in another part
    miner.wait(SILENT_S)


def _cut(_miner, connection, reply):
    connection.sendall(reply[: len(reply) * 3 // 4])


QUIRKS: dict[str, Callable] = {
    "open": _stay_open,
    "open_after_nul": _stay_open_after_nul,
    "open_after_line": _stay_open_after_line,
    "no_nul": _send,
    "silent": _silent,
    "hang_up": _hang_up,
    "huge": _huge,
    "deep": _deep,
    "html": _html,
    "http": _http,
    "drip": _drip,
    "halves": _halves,
    "cut": _cut,
    "nul_within": _nul_within,
    "unbalanced": _unbalanced,
    "escapes": _escapes,
}
