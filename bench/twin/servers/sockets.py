"""The listening sockets of a twin: one loop, one socket an address, and nothing but loopback."""

import asyncio
import ipaddress
import resource
import socket
from collections.abc import Iterator

from bench.twin.servers.speaker import MOST_BYTES, Said, Speaker
from hardware_profiles.errors import InputError

SPARE_FILES = 600  # open files beside the listening sockets: connections at a time, and what Python holds
_BACKLOG = 64


class Connection(asyncio.Protocol):
    """One connection to one simulated device: requests one after the other, each with its answer."""

    def __init__(self, speaker: Speaker, open_now: set["Connection"], *, stays_open: bool) -> None:
        self._speaker, self._open_now, self._stays_open = speaker, open_now, stays_open
        self._received = bytearray()
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the transport."""
        if isinstance(transport, asyncio.Transport):
            self._transport = transport
            self._open_now.add(self)

    def abort(self) -> None:
        """End the connection at once."""
        if self._transport is not None:
            self._transport.abort()

    def data_received(self, data: bytes) -> None:
        """Take bytes, and answer each request that is whole."""
        self._received += data
        while length := self._speaker.request(self._received):
            request = bytes(self._received[:length])
            del self._received[:length]
            said = self._speaker.answer(request)
            self._speaker.traffic.add(length, changes=said.changes)
            self._answer(said)
        if len(self._received) > MOST_BYTES and self._transport is not None:
            self._transport.close()

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 (asyncio's signature)
        """Count what came and was no whole request as a change, because nobody can know what it would have been."""
        if self._received:
            self._speaker.traffic.add(len(self._received), changes=True)
        self._transport = None
        self._open_now.discard(self)

    def _answer(self, said: Said) -> None:
        if said.silent:
            return
        if said.after_s > 0.0:
            asyncio.get_running_loop().call_later(said.after_s, self._send, said.body)
        else:
            self._send(said.body)

    def _send(self, body: bytes | None) -> None:
        if self._transport is None:
            return
        if body is not None:
            self._transport.write(body)
        if body is None or not self._stays_open:
            self._transport.close()


class Sockets:
    """Listening sockets, which are closed together."""

    def __init__(self) -> None:
        self._servers: list[asyncio.Server] = []
        self._open_now: set[Connection] = set()

    async def listen(self, address: str, port: int, speaker: Speaker, *, stays_open: bool = False) -> int:
        """Listen at an address of loopback, and return the port.

        Parameters
        ----------
        address
            An address of 127.0.0.0/8.
        port
            Its port; 0 for one that the kernel chooses.
        speaker
            What answers.
        stays_open
            Whether a connection takes further requests after an answer.

        Raises
        ------
        InputError
            Somebody listens there already, or the port is not allowed.
        """
        if not ipaddress.ip_address(address).is_loopback:
            raise InputError.at("perwatt twin", expected="an address of loopback", got=address)
        listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        try:
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listener.bind((address, port))
            listener.setblocking(False)
            server = await asyncio.get_running_loop().create_server(
                lambda: Connection(speaker, self._open_now, stays_open=stays_open), sock=listener, backlog=_BACKLOG
            )
        except OSError as error:
            listener.close()
            place = f"perwatt twin {address}:{port}"
            raise InputError.at(place, expected="a free port", got=error.strerror or str(error)) from None
        self._servers.append(server)
        return int(listener.getsockname()[1])

    async def close(self) -> None:
        """Stop listening, and end every connection."""
        for server in self._servers:
            server.close()
        self._servers.clear()
        for connection in list(self._open_now):
            connection.abort()
        await asyncio.sleep(0)


def allow_files(sockets: int) -> None:
    """Raise the soft limit of open files as far as the sockets need.

    Raises
    ------
    InputError
        The hard limit of this user is lower.
    """
    needed = sockets + SPARE_FILES
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard != resource.RLIM_INFINITY and hard < needed:
        expected = f"at most {max(hard - SPARE_FILES, 0)} sockets, the limit of open files of this user (ulimit -Hn)"
        raise InputError.at("perwatt twin --units", expected=expected, got=f"{sockets} sockets")
    if soft != resource.RLIM_INFINITY and soft < needed:
        resource.setrlimit(resource.RLIMIT_NOFILE, (needed, hard))


def addresses(network: str) -> Iterator[str]:
    """Yield the addresses of units: 127.64.0.1 and following for the network 127.64."""
    for high in range(250):
        for low in range(1, 251):
            yield f"{network}.{high}.{low}"
