"""The connections to one miner: one at a time, each within its own time and all within the time of one poll."""

import json
import re
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from bench.miners.reply import Reply
from bench.miners.wire import MAX_BYTES, exchange, exchange_frame
from bench.network.errors import ReadFailedError
from bench.network.http import Device, parse_host
from bench.network.login import Login
from bench.network.tcp import HostPort
from hardware_profiles.errors import InputError

EXCHANGE_S = 5.0  # [s] for one connection
POLL_S = 20.0  # [s] for all connections of one poll
PAUSE_S = 0.05  # [s] between two connections: firmware of Avalon serves one at a time
CGMINER, WEB = 4028, 80


@dataclass(frozen=True, slots=True)
class Address:
    """Where a miner is."""

    host: str
    port: int | None = None  # the port that the user names: then the only one that is asked

    @property
    def shown(self) -> str:
        """The address as the user writes it."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port is None else f"{host}:{self.port}"


def parse_address(text: str, place: str) -> Address:
    """Return the address of `HOST` or `HOST:PORT`.

    Raises
    ------
    InputError
        It is neither.
    """
    host, port = parse_host(text, place)
    if text.startswith("http://"):
        raise InputError.at(place, expected="HOST or HOST:PORT, without http://", got=text)
    bare = text.rpartition("]")[2] if text.startswith("[") else text
    return Address(host, port if ":" in bare and (text.startswith("[") or bare.count(":") == 1) else None)


class Link:
    """The requests of one poll; each opens a connection of its own and closes it.

    A request that is optional and fails gives a reply with a fault, so that one command that a firmware lacks does not
    cost the other figures.
    """

    def __init__(
        self,
        address: Address,
        ports: Mapping[int, int] | None = None,
        login: Login | None = None,
        poll_s: float = POLL_S,
    ) -> None:
        self.address, self.login = address, login
        self.connections = 0
        self._ports = ports  # the port to connect to, for each port that may be asked; None: every port, as it is
        self._deadline = time.monotonic() + poll_s

    def ask(
        self, name: str, request: Mapping[str, Any] | str | None = None, *, port: int = CGMINER, optional: bool = False
    ) -> Reply:
        """Return the reply to a command of the cgminer interface.

        Parameters
        ----------
        name
            The command, and the name of the reply.
        request
            The request if it is not `{"command": name}`; text is sent as it is.
        port
            TCP port.
        optional
            Whether a failure gives a reply with a fault.

        Raises
        ------
        ReadFailedError
            The command fails or is refused, and it is not optional.
        """
        body = _encoded({"command": name} if request is None else request)
        return self._read(name, lambda time_s: exchange(self._at(port), body, time_s), optional=optional)

    def ask_frame(self, name: str, request: Mapping[str, Any], *, port: int = 4433, optional: bool = False) -> Reply:
        """Return the reply to a request in a frame; as `ask` otherwise."""
        body = _encoded(request)
        return self._read(name, lambda time_s: exchange_frame(self._at(port), body, time_s), optional=optional)

    def web(  # noqa: PLR0913 (the parts of one request)
        self,
        name: str,
        path: str,
        *,
        port: int = WEB,
        optional: bool = False,
        plain: bool = False,
        body: Mapping[str, Any] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Reply:
        """Return the reply to an HTTP request, with the login of the user if the miner asks for one.

        Parameters
        ----------
        name
            Name of the reply.
        path
            Path and query.
        port, optional
            As `ask`.
        plain
            Whether the answer is text: then the document of the reply is that text.
        body
            What to send as JSON by POST, for the login of a session; without one, the request is a GET.
        headers
            Further headers, such as the token of a session.

        Raises
        ------
        ReadFailedError
            As `ask`; the HTTP status must be 200.
        """

        def request(time_s: float) -> bytes:
            remote = self._at(port)
            device = Device(remote.host, remote.port, self.login, MAX_BYTES)
            return device.request(path, time_s, body=None if body is None else _encoded(body), headers=headers).body

        return self._read(name, request, optional=optional, plain=plain)

    def _read(self, name: str, request: Callable[[float], bytes], *, optional: bool, plain: bool = False) -> Reply:
        try:
            raw = self._connect(request)
            reply = Reply(name, raw, raw.decode("utf-8", "replace")) if plain else Reply.of(name, raw)
        except ReadFailedError as error:
            if not optional:
                raise
            return Reply(name, fault=self._without_host(str(error)))
        if reply.fault and not optional:
            raise ReadFailedError(f"{name}: {reply.fault}")
        return reply

    def _connect(self, request: Callable[[float], bytes]) -> bytes:
        """Return the bytes of one request, which has at most the time left for the poll."""
        if self.connections:
            time.sleep(PAUSE_S)
        left_s = self._deadline - time.monotonic()
        if left_s <= 0.0:
            raise ReadFailedError("no time left for it, because the miner answers slowly")
        self.connections += 1
        return request(min(EXCHANGE_S, left_s))

    def _without_host(self, text: str) -> str:
        """Return the text of an error without the address, because faults become warnings of a record."""
        host = re.escape(self.address.host)
        return re.sub(rf"(?:http://)?\[?{host}\]?:\d{{1,5}}(?::\s*)?", "", text)

    def _at(self, port: int) -> HostPort:
        if self._ports is None:
            return HostPort(self.address.host, port)
        if port not in self._ports:
            raise ReadFailedError(f"port {port} is not asked, because the address names another")
        return HostPort(self.address.host, self._ports[port])


def _encoded(request: Mapping[str, Any] | str) -> bytes:
    return request.encode() if isinstance(request, str) else json.dumps(request, separators=(",", ":")).encode()
