"""HTTP requests to a plug on the local network, each with a deadline over all of it and a limit on its size.

The standard library's `http.client` parses the answer. Its own time limit starts anew at every read, so a stream in
between sets the time that is left before each read and counts the bytes.
"""

import http.client
import io
import json
import math
import queue
import re
import socket
import threading
import time
from typing import TYPE_CHECKING, Any, NamedTuple

from bench.network.errors import ReadFailedError
from bench.network.login import Digest, Login, basic, read_challenge
from hardware_profiles.errors import InputError, shown

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

MAX_BYTES = 65536


class OtherAnswerError(ReadFailedError):
    """The plug answered, but without what was requested: another path may suit it."""


class NoPowerError(ReadFailedError):
    """The device answers, and measures no power; the text holds the cure."""


class LoginNeededError(ReadFailedError):
    """The plug wants a user and a password, and none was stated."""


class LoginRefusedError(ReadFailedError):
    """The plug does not accept the user and the password."""


def parse_host(text: str, place: str) -> tuple[str, int]:
    """Return host and port of `HOST`, `HOST:PORT`, `[IPV6]:PORT`, or one of these after `http://`.

    Parameters
    ----------
    text
        The address.
    place
        The option, for messages.

    Raises
    ------
    InputError
        The address is empty, has a path, is https, or has an invalid port.
    """
    bare = text.removeprefix("http://").rstrip("/")
    if "@" in bare:  # what stands before it may be a password
        raise InputError(f"{place}: expected a host without a user and a password (see user= and password_file=)")
    if not bare or any(mark in bare for mark in "/,=") or any(c.isspace() for c in bare):
        raise InputError.at(place, expected="a host such as 192.168.1.20 or plug.local:8080 (http only)", got=text)
    host, port = bare, "80"
    if bare.startswith("["):
        host, _, rest = bare[1:].partition("]")
        port = rest.removeprefix(":") or "80"
    elif bare.count(":") == 1:
        host, port = bare.split(":")
    if not host or not re.fullmatch(r"[0-9]{1,5}", port) or not 0 < int(port) < 65536:
        raise InputError.at(place, expected="HOST or HOST:PORT with a port from 1 to 65535", got=text)
    return host, int(port)


class Device:
    """A device that answers `GET` with JSON: its addresses, looked up once, and the login that it wants."""

    def __init__(self, host: str, port: int, login: Login | None = None) -> None:
        self.host, self.port, self.login = host, port, login
        self._addresses: list[Any] = []
        self._challenge: Digest | str = ""

    def get_json(self, path: str, timeout_s: float, *, hidden_query: str = "") -> Any:
        """Return the JSON that the device answers to `GET path`, all within `timeout_s` [s] and 64 KiB.

        Parameters
        ----------
        path
            Path and query, as messages show it.
        timeout_s
            Time for everything: look-up of the name, connection, login and answer [s].
        hidden_query
            The end of the query that no message shows, because it holds a password.

        Raises
        ------
        ReadFailedError
            There is no answer in time, it is too long, its HTTP status is not 200, or it is not JSON.
        """
        url = f"http://{self.host}:{self.port}{path}"
        try:
            answer = self._get(path + hidden_query, time.monotonic() + timeout_s)
        except TimeoutError:
            raise ReadFailedError(f"{url}: no complete answer in time") from None
        except _TooLongError:
            raise ReadFailedError(f"{url}: the answer is longer than {MAX_BYTES} bytes") from None
        except http.client.InvalidURL:
            raise ReadFailedError(f"{url}: not a path that HTTP can carry") from None
        except http.client.HTTPException as error:
            raise ReadFailedError(f"{url}: not a complete HTTP answer: {error!r}") from None
        except (OSError, ValueError) as error:
            raise ReadFailedError(f"{url}: {error}") from None
        if answer.status == 401:
            schemes = self._challenge if isinstance(self._challenge, str) else "digest"
            if self.login is None:
                raise LoginNeededError(f"{url}: HTTP status 401")
            raise LoginRefusedError(f"{url}: HTTP status 401 (login by {shown(schemes)})")
        if answer.status != 200:
            raise OtherAnswerError(f"{url}: HTTP status {answer.status}")
        try:
            return json.loads(answer.body)
        except (ValueError, RecursionError) as error:
            raise ReadFailedError(f"{url}: not JSON: {error}") from None

    def _get(self, path: str, deadline: float) -> "_Answer":
        """Return the answer; after a 401, which may follow an old nonce, the login is repeated once."""
        answer = self._exchange(path, deadline)
        if answer.status == 401:
            self._challenge = read_challenge(answer.challenges)
            if self.login is not None and (isinstance(self._challenge, Digest) or self._challenge == "basic"):
                answer = self._exchange(path, deadline)
        return answer

    def _exchange(self, path: str, deadline: float) -> "_Answer":
        headers = {"Accept": "application/json", "Connection": "close"}
        if self.login is not None and isinstance(self._challenge, Digest):
            headers["Authorization"] = self._challenge.authorize(self.login, path)
        elif self.login is not None and self._challenge == "basic":
            headers["Authorization"] = basic(self.login)
        connection = http.client.HTTPConnection(self.host, self.port)
        with self._connect(deadline) as inner:
            connection.sock = _LimitedSocket(inner, deadline)
            connection.request("GET", path, headers=headers)
            response = connection.getresponse()
            challenges = tuple(response.headers.get_all("WWW-Authenticate") or ())
            return _Answer(response.status, challenges, response.read())

    def _connect(self, deadline: float) -> socket.socket:
        """Return a connection to the first address that answers; each may take an equal part of the time left."""
        if not self._addresses:
            self._addresses = _look_up(self.host, self.port, deadline)
        fault: OSError = TimeoutError()
        for position, (family, address) in enumerate(self._addresses):
            try:
                return self._connect_to(family, address, _left_s(deadline) / (len(self._addresses) - position))
            except OSError as error:
                fault = error
        raise fault

    def _connect_to(self, family: int, address: Any, timeout_s: float) -> socket.socket:
        """Return a connection to one address, the only one that is used from now on."""
        connection = socket.socket(family, socket.SOCK_STREAM)
        try:
            connection.settimeout(timeout_s)
            connection.connect(address)
        except OSError:
            connection.close()
            raise
        self._addresses = [(family, address)]
        return connection


def get_json(host: str, port: int, path: str, timeout_s: float) -> Any:
    """Return the JSON that a device answers to a single `GET path`; see `Device.get_json`."""
    return Device(host, port).get_json(path, timeout_s)


def get_number(document: Any, place: str, *keys: str | int) -> float:
    """Return the number at a path of keys in a JSON document.

    Raises
    ------
    ReadFailedError
        It is missing or is not a finite number.
    """
    value, name = document, ".".join(map(str, keys))
    for key in keys:
        try:
            value = value[key]
        except (KeyError, IndexError, TypeError):
            raise OtherAnswerError(f"{place}: no {name} in the answer") from None
    number = number_of(value)
    if number is None:
        raise ReadFailedError(f"{place}: {name} is not a finite number: {str(value)[:40]!r}", "bad_sample")
    return number


def number_of(value: object) -> float | None:
    """Return a JSON value as a finite number, or None if it is none."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    try:
        number = float(value)
    except OverflowError:
        return None
    return number if math.isfinite(number) else None


class _Answer(NamedTuple):
    """One answer."""

    status: int
    challenges: tuple[str, ...]  # the WWW-Authenticate headers
    body: bytes


def _look_up(host: str, port: int, deadline: float) -> list[Any]:
    """Return the addresses of a host by family, looked up in a thread, because a look-up has no time limit of its own.

    Raises
    ------
    OSError, ValueError
        There is no such host, or no answer before the deadline [s, monotonic].
    """
    answers: queue.SimpleQueue[list[Any] | Exception] = queue.SimpleQueue()

    def ask() -> None:
        try:
            answers.put(socket.getaddrinfo(host, port, type=socket.SOCK_STREAM))
        except (OSError, ValueError) as error:
            answers.put(error)

    threading.Thread(target=ask, name=f"look up {host}", daemon=True).start()
    try:
        answer = answers.get(timeout=_left_s(deadline))
    except queue.Empty:
        raise OSError("the name was not found in time") from None
    if isinstance(answer, Exception):
        raise answer
    return [(family, address) for family, _, _, _, address in answer]


class _TooLongError(Exception):
    """The answer is longer than MAX_BYTES."""


class _LimitedSocket:
    """A socket as `http.client` uses it, under a deadline [s, monotonic] and MAX_BYTES."""

    def __init__(self, inner: socket.socket, deadline: float) -> None:
        self._inner, self._deadline = inner, deadline

    def sendall(self, data: bytes) -> None:
        """Send the request within the time that is left."""
        self._inner.settimeout(_left_s(self._deadline))
        self._inner.sendall(data)

    def makefile(self, _mode: str) -> io.BufferedReader:
        """Return the answer as a stream."""
        return io.BufferedReader(_LimitedStream(self._inner, self._deadline))

    def close(self) -> None:
        """Do nothing: http.client closes the connection before the body is read, and `_get` closes the socket."""


class _LimitedStream(io.RawIOBase):
    """The bytes of an answer, each read under the deadline."""

    def __init__(self, inner: socket.socket, deadline: float) -> None:
        self._inner, self._deadline = inner, deadline
        self._bytes = 0

    def readable(self) -> bool:
        """Return True: this stream is read."""
        return True

    def readinto(self, buffer: "WriteableBuffer") -> int:
        """Read into a buffer within the time that is left."""
        self._inner.settimeout(_left_s(self._deadline))
        count = self._inner.recv_into(buffer)
        self._bytes += count
        if self._bytes > MAX_BYTES:
            raise _TooLongError
        return count


def _left_s(deadline: float) -> float:
    """Return the time that is left [s].

    Raises
    ------
    TimeoutError
        The deadline has passed.
    """
    left_s = deadline - time.monotonic()
    if left_s <= 0.0:
        raise TimeoutError
    return left_s
