"""HTTP requests to a device on the local network, each with a deadline over all of it and a limit on its size.

The standard library's `http.client` parses the answer. Its own time limit starts anew at every read, so a stream in
between sets the time that is left before each read and counts the bytes.
"""

import http.client
import json
import math
import re
import socket
import ssl
import time
from collections.abc import Mapping
from typing import Any, NamedTuple

from bench.network.errors import ReadFailedError
from bench.network.limited import LimitedSocket, TooLongError
from bench.network.login import Digest, Login, basic, read_challenge
from bench.network.tcp import HostPort, left_s
from hardware_profiles.errors import InputError, shown

MAX_BYTES = 65536
"""Limit on an answer [byte], unless a device is made with another."""


class OtherAnswerError(ReadFailedError):
    """The plug answered, but without what was requested: another path may suit it."""


class NoPowerError(ReadFailedError):
    """The device answers, and measures no power; the text holds the cure."""


class CertificateUntrustedError(ReadFailedError):
    """The device's certificate is not one that this machine trusts."""


class LoginNeededError(ReadFailedError):
    """The plug wants a user and a password, and none was stated."""


class LoginRefusedError(ReadFailedError):
    """The plug does not accept the user and the password."""


def parse_host(text: str, place: str, port: int = 80) -> tuple[str, int]:
    """Return host and port of `HOST`, `HOST:PORT`, `[IPV6]:PORT`, or one of these after `http://`.

    Parameters
    ----------
    text
        The address.
    place
        The option, for messages.
    port
        The port if the address has none.

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
    host, stated = bare, str(port)
    if bare.startswith("["):
        host, _, rest = bare[1:].partition("]")
        stated = rest.removeprefix(":") or stated
    elif bare.count(":") == 1:
        host, stated = bare.split(":")
    if not host or not re.fullmatch(r"[0-9]{1,5}", stated) or not 0 < int(stated) < 65536:
        raise InputError.at(place, expected="HOST or HOST:PORT with a port from 1 to 65535", got=text)
    return host, int(stated)


class Answer(NamedTuple):
    """One answer."""

    status: int
    headers: Mapping[str, str]  # by name in small letters; of several with the same name, the last
    challenges: tuple[str, ...]  # the WWW-Authenticate headers
    body: bytes


class Device:
    """A device or a server that answers HTTP requests, and the login that it wants; with TLS if it has a context."""

    def __init__(
        self,
        host: str,
        port: int,
        login: Login | None = None,
        limit_bytes: int = MAX_BYTES,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        self.host, self.port, self.login, self.limit_bytes, self.tls = host, port, login, limit_bytes, tls
        self.remote = HostPort(host, port)
        self._challenge: Digest | str = ""

    def get_json(self, path: str, timeout_s: float, *, hidden_query: str = "") -> Any:
        """Return the JSON that the device answers to `GET path`, all within `timeout_s` [s] and the limit.

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
        return self.document(path, self.request(path, timeout_s, hidden_query=hidden_query))

    def document(self, path: str, answer: Answer) -> Any:
        """Return the JSON of an answer.

        Raises
        ------
        ReadFailedError
            It is not JSON.
        """
        try:
            return json.loads(answer.body)
        except (ValueError, RecursionError) as error:
            raise ReadFailedError(f"{self.url(path)}: not JSON: {error}") from None

    def request(  # noqa: PLR0913 (the parts of one request)
        self,
        path: str,
        timeout_s: float,
        *,
        hidden_query: str = "",
        method: str = "",
        body: bytes | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Answer:
        """Return the answer to one request if its status is 200; see `get_json` and `ask`."""
        answer = self.ask(path, timeout_s, hidden_query=hidden_query, method=method, body=body, headers=headers)
        if answer.status == 401:
            schemes = self._challenge if isinstance(self._challenge, str) else "digest"
            if self.login is None:
                raise LoginNeededError(f"{self.url(path)}: HTTP status 401")
            raise LoginRefusedError(f"{self.url(path)}: HTTP status 401 (login by {shown(schemes)})")
        if answer.status != 200:
            raise OtherAnswerError(f"{self.url(path)}: HTTP status {answer.status}")
        return answer

    def ask(  # noqa: PLR0913 (the parts of one request)
        self,
        path: str,
        timeout_s: float,
        *,
        hidden_query: str = "",
        method: str = "",
        body: bytes | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Answer:
        """Return the answer to one request, whatever its status; a redirect is not followed.

        Parameters
        ----------
        path, timeout_s, hidden_query
            As in `get_json`.
        method
            Method of HTTP; if it is empty, POST where there is a body, else GET.
        body
            JSON to send, or what `headers` says that it is.
        headers
            Further headers, such as the token of a session.

        Raises
        ------
        ReadFailedError
            There is no complete answer in time, or it is too long.
        """
        url = self.url(path)
        method = method or ("GET" if body is None else "POST")
        request = _Request(method, path + hidden_query, body, dict(headers or {}))
        try:
            return self._logged_in(request, time.monotonic() + timeout_s)
        except TimeoutError:
            raise ReadFailedError(f"{url}: no complete answer in time") from None
        except TooLongError:
            raise ReadFailedError(f"{url}: the answer is longer than {self.limit_bytes} bytes") from None
        except http.client.InvalidURL:
            raise ReadFailedError(f"{url}: not a path that HTTP can carry") from None
        except http.client.HTTPException as error:
            raise ReadFailedError(f"{url}: not a complete HTTP answer: {shown(str(error)[:200])}") from None
        except ssl.SSLCertVerificationError as error:
            if fault := getattr(error, "verify_message", ""):  # empty if we compared the certificate ourselves
                raise CertificateUntrustedError(f"{url}: certificate verify failed: {fault}") from None
            raise ReadFailedError(f"{url}: {error}") from None
        except (OSError, ValueError) as error:
            raise ReadFailedError(f"{url}: {error}") from None

    def url(self, path: str) -> str:
        """Return the address of a path, for messages."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"http{'s' if self.tls else ''}://{host}:{self.port}{path}"

    def _logged_in(self, request: "_Request", deadline: float) -> Answer:
        """Return the answer; after a 401, which may follow an old nonce, the login is repeated once.

        A password that was sent and refused is not sent again: a BMC locks an account after a few refusals.
        """
        sent = self._challenge if self.login is not None else ""
        answer = self._exchange(request, deadline)
        if answer.status == 401:
            self._challenge = read_challenge(answer.challenges)
            is_new = isinstance(self._challenge, Digest) or (self._challenge == "basic" and sent != "basic")
            if self.login is not None and is_new:
                answer = self._exchange(request, deadline)
        return answer

    def _exchange(self, request: "_Request", deadline: float) -> Answer:
        headers = {"Accept": "application/json", "Connection": "close", **request.headers}
        if request.body is not None:
            headers.setdefault("Content-Type", "application/json")
        if self.login is not None and isinstance(self._challenge, Digest):
            headers["Authorization"] = self._challenge.authorize(self.login, request.path, method=request.method)
        elif self.login is not None and self._challenge == "basic":
            headers["Authorization"] = basic(self.login)
        connection = http.client.HTTPConnection(self.host, self.port)
        with self._connect(deadline) as inner:
            connection.sock = LimitedSocket(inner, deadline, self.limit_bytes)
            connection.request(request.method, request.path, body=request.body, headers=headers)
            response = connection.getresponse()
            challenges = tuple(response.headers.get_all("WWW-Authenticate") or ())
            named = {name.lower(): value for name, value in response.headers.items()}
            return Answer(response.status, named, challenges, response.read())

    def _connect(self, deadline: float) -> socket.socket:
        inner = self.remote.connect(deadline)
        if self.tls is None:
            return inner
        try:
            inner.settimeout(left_s(deadline))
            return self.tls.wrap_socket(inner, server_hostname=self.host)
        except BaseException:
            inner.close()
            raise


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


class _Request(NamedTuple):
    """One request."""

    method: str
    path: str
    body: bytes | None
    headers: dict[str, str]
