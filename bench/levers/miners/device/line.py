"""The requests of a lever to one miner, with the address and the login that the user states."""

import json
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from bench.levers.web import Web
from bench.levers.wire import NotSentError, Remote, exchange, exchange_frame
from bench.miners.link import CGMINER, EXCHANGE_S, WEB, Address, parse_address
from bench.miners.reply import Reply
from bench.network.errors import ReadFailedError
from bench.network.login import SETTINGS, Login, read_login
from bench.network.reach import SETTING as PUBLIC
from bench.network.reach import is_public
from hardware_profiles.errors import InputError

OPTIONS = (*SETTINGS, PUBLIC, "web_port")
"""Options that every miner takes."""
PLACE = "address"


class RefusedError(ReadFailedError):
    """The device refuses a command."""

    def __init__(self, text: str, code: str = "refused") -> None:
        super().__init__(text, code)


class Line:
    """The requests to one miner.

    Parameters
    ----------
    address
        Where it is; its port stands for the family's own port.
    login
        User and password that the user states.
    ports
        The port to connect to, for each port of the firmware that is another.
    public
        Whether an address outside private networks is allowed.
    """

    def __init__(
        self, address: Address, login: Login | None, ports: Mapping[int, int] | None = None, *, public: bool = False
    ) -> None:
        self.address, self.login = address, login
        self._ports, self._public = dict(ports or {}), public
        self._remotes: dict[int, Remote] = {}
        self._web: dict[int, Web] = {}
        self.exchange_s = EXCHANGE_S  # [s] for one request that states no time
        self.changed = False  # whether a command that changes something was sent

    async def ask(  # noqa: PLR0913 (the parts of one request)
        self,
        name: str,
        request: Mapping[str, Any] | None = None,
        *,
        port: int = CGMINER,
        optional: bool = False,
        changes: bool = False,
        timeout_s: float | None = None,
    ) -> Reply:
        """Return the reply to a command of the cgminer interface.

        Parameters
        ----------
        name
            The command, and the name of the reply.
        request
            The request if it is not `{"command": name}`.
        port
            Port of the firmware.
        optional
            Whether a failure gives a reply with a fault.
        changes
            Whether the command changes the device.
        timeout_s
            Time for everything [s]. [default: `exchange_s`]

        Raises
        ------
        ReadFailedError
            The command fails or is refused, and it is not optional.
        """
        body = _encoded({"command": name} if request is None else request)
        try:
            with self._changing(changes):
                reply = Reply.of(name, await exchange(self._remote(port), body, timeout_s or self.exchange_s))
        except ReadFailedError as error:
            if not optional:
                raise
            return Reply(name, fault=str(error))
        if reply.fault and not optional:
            raise RefusedError(reply.fault)
        return reply

    async def ask_frame(
        self,
        name: str,
        request: Mapping[str, Any],
        *,
        port: int = 4433,
        changes: bool = False,
        timeout_s: float | None = None,
    ) -> Reply:
        """Return the reply to a request in a frame; as `ask` otherwise."""
        with self._changing(changes):
            reply = Reply.of(
                name, await exchange_frame(self._remote(port), _encoded(request), timeout_s or self.exchange_s)
            )
        if reply.fault:
            raise RefusedError(reply.fault)
        return reply

    async def web(  # noqa: PLR0913 (the parts of one request)
        self,
        name: str,
        path: str,
        *,
        port: int = WEB,
        method: str = "",
        body: Mapping[str, Any] | None = None,
        headers: Mapping[str, str] | None = None,
        changes: bool = False,
        timeout_s: float | None = None,
    ) -> Reply:
        """Return the reply to an HTTP request whose status is one of success; an answer without a body has no document.

        Raises
        ------
        RefusedError
            The status is another; its code says whether a login is missing or refused.
        ReadFailedError
            As `ask`.
        """
        if port not in self._web:
            self._web[port] = Web(self._remote(port), self.login)
        content = None if body is None else _encoded(body)
        with self._changing(changes):
            time_s = timeout_s or self.exchange_s
            answer = await self._web[port].ask(path, time_s, method=method, body=content, headers=headers)
        if answer.status in {401, 403}:
            code = "login_needed" if self.login is None else "login_refused"
            raise RefusedError(f"HTTP status {answer.status}", code)
        if not 200 <= answer.status < 300:
            raise RefusedError(f"HTTP status {answer.status}")
        return Reply.of(name, answer.body) if answer.body.strip() else Reply(name)

    @contextmanager
    def _changing(self, changes: bool) -> Iterator[None]:
        """Note that a command that changes the device goes out, unless there turns out to be no connection."""
        before = self.changed
        self.changed = before or changes
        try:
            yield
        except NotSentError:
            self.changed = before
            raise

    def _remote(self, port: int) -> Remote:
        if port not in self._remotes:
            at = self._ports.get(port, port)
            self._remotes[port] = Remote(self.address.host, at, public=self._public)
        return self._remotes[port]


def open_line(address: str, options: Mapping[str, str], port: int, user: str = "admin") -> Line:
    """Return the line to a miner.

    Parameters
    ----------
    address
        `HOST` or `HOST:PORT`.
    options
        Options of the lever.
    port
        The port of the firmware that a port of the address stands for.
    user
        The user if the options state a password and no user.

    Raises
    ------
    InputError
        The address is none or is public, or an option is wrong.
    """
    parsed = parse_address(address, PLACE)
    allowed = options.get(PUBLIC, "no")
    if allowed not in {"yes", "no"}:
        raise InputError.at(PLACE, PUBLIC, expected="yes or no", got=allowed)
    if allowed == "no" and _is_public_number(parsed.host):
        raise InputError.at(
            PLACE, expected=f"a device on a private address; if a public one is right, add {PUBLIC}=yes", got=address
        )
    ports = {} if parsed.port is None else {port: parsed.port}
    if (text := options.get("web_port")) is not None:
        if not re.fullmatch(r"[0-9]{1,5}", text) or not 0 < int(text) < 65536:
            raise InputError.at(PLACE, "web_port", expected="a port from 1 to 65535", got=text)
        ports[WEB] = int(text)
    return Line(parsed, read_login(PLACE, options, user), ports, public=allowed == "yes")


def _is_public_number(host: str) -> bool:
    try:
        return is_public(host)
    except ValueError:
        return False


def _encoded(request: Mapping[str, Any]) -> bytes:
    return _ENCODER.encode(request).encode()


_ENCODER = json.JSONEncoder(separators=(",", ":"))
