"""A Stratum client: one connection to a work server, its lines, and the state of the session."""

import itertools
import json
import select
import socket
import time
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from bench.stratum.simulator.personality import Personality
from bench.stratum.simulator.work import BadJobError, Work

USER_AGENT = "perwatt-simulator/1"
ASKED_MASK = 0x1FFFE000  # BIP 320
CONNECT_S = 10.0  # [s] longest wait for the connection and for the answers of the handshake
LONGEST_LINE = 1 << 20  # [byte] of the server


class SessionEndedError(Exception):
    """The connection ended; `str()` says why."""


@dataclass(slots=True)
class Session:
    """What the server has said so far."""

    extranonce1: bytes = b""
    extranonce2_bytes: int = 0
    mask: int = 0
    difficulty: float = 1.0  # [-] of the jobs that follow
    work: Work | None = None  # the newest job
    jobs: int = 0
    replies: deque[tuple[int, Any, Any]] = field(default_factory=deque)  # id, result, error


class Client:
    """One connection of a miner."""

    def __init__(self, host: str, port: int, worker: str, personality: Personality) -> None:
        self.session = Session()
        self.worker, self.personality = worker, personality
        self._ids = itertools.count(1)
        self._rest = b""
        try:
            self._socket = socket.create_connection((host, port), timeout=CONNECT_S)
        except OSError as error:
            raise SessionEndedError(f"no connection to {host}:{port}: {error.strerror or error}") from None
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def shake_hands(self) -> None:
        """Configure, subscribe and authorize, as firmware does.

        Raises
        ------
        SessionEndedError
            The server closed the connection, refused the worker, or did not answer in time.
        """
        if not self.personality.five_parameters:
            asked = {"version-rolling.mask": f"{ASKED_MASK:08x}", "version-rolling.min-bit-count": 2}
            granted = self._ask("mining.configure", [["version-rolling"], asked])
            if isinstance(granted, Mapping) and granted.get("version-rolling") is True:
                self.session.mask = _word(granted.get("version-rolling.mask")) & ASKED_MASK
        subscribed = self._ask("mining.subscribe", [USER_AGENT])
        try:
            _, extranonce1, size = subscribed
            self.session.extranonce1, self.session.extranonce2_bytes = bytes.fromhex(extranonce1), int(size)
        except (TypeError, ValueError):
            raise SessionEndedError("the server did not accept the subscription") from None
        if self._ask("mining.authorize", [self.worker, "x"]) is not True:
            raise SessionEndedError(f"the server does not accept the worker {self.worker}")

    def suggest(self, difficulty: float) -> None:
        """Tell the server at which difficulty the miner would like to work."""
        self.send("mining.suggest_difficulty", [difficulty])

    def send(self, method: str, parameters: list[Any]) -> int:
        """Send a request and return its number.

        Raises
        ------
        SessionEndedError
            The connection ended.
        """
        number = next(self._ids)
        end = b"\r\n" if self.personality.crlf else b"\n"
        line = json.dumps({"id": number, "method": method, "params": parameters}).encode() + end
        middle = len(line) // 2 if self.personality.slow_s else len(line)
        try:
            self._socket.settimeout(CONNECT_S)
            self._socket.sendall(line[:middle])
            if middle < len(line):
                time.sleep(self.personality.slow_s)
                self._socket.sendall(line[middle:])
        except OSError as error:
            raise SessionEndedError(f"the server closed the connection: {error.strerror or error}") from None
        return number

    def pump(self, wait_s: float) -> None:
        """Read what the server has sent; wait up to `wait_s` [s] for the first of it.

        Raises
        ------
        SessionEndedError
            The server closed the connection, or sent what is no line of the protocol.
        """
        while select.select([self._socket], [], [], wait_s)[0]:
            wait_s = 0.0
            try:
                part = self._socket.recv(1 << 16)
            except OSError as error:
                raise SessionEndedError(f"the server closed the connection: {error.strerror or error}") from None
            if not part:
                raise SessionEndedError("the server closed the connection")
            *lines, self._rest = (self._rest + part).split(b"\n")
            if len(self._rest) > LONGEST_LINE:
                raise SessionEndedError("the server sent a line without an end")
            for line in lines:
                if line.strip():
                    self._take(line)

    def close(self) -> None:
        """Close the connection; may be called twice."""
        self._socket.close()

    def _ask(self, method: str, parameters: list[Any]) -> Any:
        number, deadline = self.send(method, parameters), time.monotonic() + CONNECT_S
        while time.monotonic() < deadline:
            self.pump(0.1)
            while self.session.replies:
                answered, result, error = self.session.replies.popleft()
                if answered == number:
                    return result if error is None else None
        raise SessionEndedError(f"no answer to {method} within {CONNECT_S:g} s")

    def _take(self, line: bytes) -> None:
        try:
            message = json.loads(line)
            method, number = message.get("method"), message.get("id")
            parameters = message.get("params")
            if method is None:
                self.session.replies.append((number, message.get("result"), message.get("error")))
            else:
                self._obey(str(method), parameters)
        except (ValueError, AttributeError, TypeError, IndexError, RecursionError, BadJobError) as error:
            raise SessionEndedError(f"the server sent what is no message of Stratum: {error}") from None

    def _obey(self, method: str, parameters: Any) -> None:
        session = self.session
        if method == "mining.set_difficulty":
            session.difficulty = float(parameters[0])
        elif method == "mining.set_version_mask":
            session.mask = _word(parameters[0]) & ASKED_MASK
        elif method == "mining.notify":
            session.jobs += 1
            session.work = Work.read(
                parameters, session.extranonce1, session.extranonce2_bytes, session.mask, session.difficulty
            )


def _word(text: object) -> int:
    return int(str(text), 16)
