"""The work server: it listens, hands out jobs at a steady pace, and keeps the list of connections."""

import asyncio
import contextlib
import os
import resource
import socket
import time
from collections import deque
from dataclasses import dataclass, field
from typing import Any

from bench.stratum.connection import Connection
from bench.stratum.difficulty import check_difficulty
from bench.stratum.jobs import EXTRANONCE1_BYTES, EXTRANONCE2_SIZES, JobSource
from bench.stratum.limits import Allowance, Limits
from bench.stratum.session import Desk, Session, SessionInfo
from hardware_profiles.errors import InputError

_SWEEP_S = 1.0  # [s] between two looks at the clients' times
_KEPT_ENDED = 1_000  # ended connections without a valid share that are still listed
_KEPT_MINED = 10_000  # ended connections with one: without them their shares belong to nobody
_BACKLOG = 512
_CONNECTIONS_S, _CONNECTIONS_AT_ONCE = 1.0, 60.0  # [1/s] new connections of one peer above which they are noted
_KEPT_PACES = 256  # peers
_FILES_OF_OTHERS = 96  # open files that are left to the rest of the process


@dataclass(frozen=True, slots=True)
class ServerOptions:
    """The settings of a work server."""

    difficulty: float = 1024.0  # [-] of every job, until it is set
    notify_s: float = 25.0  # [s] between two jobs; miners give a silent pool up after 90 s
    clean_s: float | None = None  # [s] between two made-up blocks, which retire all jobs; None never makes one
    extranonce2_bytes: int = EXTRANONCE2_SIZES[0]
    limits: Limits = field(default_factory=Limits)


class StratumServer:
    """A Stratum V1 server on one address; all methods belong to its event loop.

    Raises
    ------
    InputError
        The difficulty has no target, a time is not above 0, or the size of the second extranonce is neither 8 nor 4.
    """

    def __init__(self, options: ServerOptions) -> None:
        check_difficulty(options.difficulty)
        if not options.notify_s > 0.0 or (options.clean_s is not None and not options.clean_s > 0.0):
            raise InputError.at("work server", "notify_s, clean_s", expected="seconds above 0", got=options.notify_s)
        if options.extranonce2_bytes not in EXTRANONCE2_SIZES:
            got = options.extranonce2_bytes
            raise InputError.at("work server", "extranonce2_bytes", expected="8 or 4", got=got)
        self._options = options
        self.desk = Desk(JobSource(options.extranonce2_bytes), options.difficulty, options.limits)
        self._connections: set[Connection] = set()
        self._ended: deque[SessionInfo] = deque(maxlen=_KEPT_ENDED)
        self._mined: deque[SessionInfo] = deque(maxlen=_KEPT_MINED)
        self._extranonces: set[bytes] = set()
        self.accepted = 0  # connections so far
        self._most, self._why_most = options.limits.connections, ""
        self._server: asyncio.Server | None = None
        self._tasks: list[asyncio.Task[None]] = []
        self._drained: asyncio.Event | None = None  # set once the last connection is closed, while the server stops
        self._paces: dict[str, Allowance] = {}  # of new connections, by peer

    async def start(self, host: str, port: int) -> tuple[str, int]:
        """Listen on one address, and return it.

        Parameters
        ----------
        host
            Address or name of one interface; all of them only if that is asked for as `0.0.0.0` or `::`.
        port
            TCP port; 0 takes a free one.

        Raises
        ------
        InputError
            The address is not one of this machine, or the port is taken or not allowed.
        """
        loop = asyncio.get_running_loop()
        loop.set_exception_handler(self._note_fault)
        files = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
        if files != resource.RLIM_INFINITY:
            most = max(min(self._most, files - _FILES_OF_OTHERS), 1)
            if most < self._most:
                self._most, self._why_most = most, ", because this process may open few files (ulimit -n)"
        listener = _listener(host, port)
        self._server = await loop.create_server(self._connection, sock=listener, backlog=_BACKLOG)
        self._tasks = [loop.create_task(self._hand_out_jobs()), loop.create_task(self._watch_times())]
        bound_host, bound_port, *_ = listener.getsockname()
        return str(bound_host), int(bound_port)

    async def stop(self) -> None:
        """Stop listening and close all connections."""
        for task in self._tasks:
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task
        if self._server is not None:
            self._server.close()
        accepting = asyncio.all_tasks() - {asyncio.current_task()}
        if accepting:  # clients that were accepted a moment ago become connections first
            await asyncio.wait(accepting)
        for connection in list(self._connections):
            connection.shut()
        if self._connections:
            self._drained = asyncio.Event()
            await self._drained.wait()
        if self._server is not None:
            await self._server.wait_closed()

    def set_difficulty(self, difficulty: float) -> None:
        """Set the difficulty of all jobs from now on; every miner gets one at once, and earlier jobs keep theirs.

        Raises
        ------
        InputError
            The difficulty has no target.
        """
        self.desk.difficulty = check_difficulty(difficulty)
        for connection, session in self._sessions():
            connection.send(session.renew_difficulty())

    def sessions(self) -> tuple[SessionInfo, ...]:
        """Return the connections in the order of their start: the open ones, and the last ones that ended.

        Of those that ended, the last 10,000 with a valid share and the last 1,000 without one are kept.
        """
        present = (session.info() for _, session in self._sessions())
        return tuple(sorted((*self._ended, *self._mined, *present), key=lambda info: info.number))

    def _sessions(self) -> list[tuple[Connection, Session]]:
        return [(connection, connection.session) for connection in self._connections if connection.session is not None]

    def _connection(self) -> Connection:
        return Connection(self._options.limits, time.monotonic, self._open_session, self._close_session)

    def _open_session(self, connection: Connection, peer: tuple[str, int]) -> Session | None:
        self.accepted += 1
        if len(self._connections) >= self._most:
            self.desk.notices.add("too many connections", peer[0], f"more than {self._most}{self._why_most}")
            return None
        extranonce1 = os.urandom(EXTRANONCE1_BYTES)
        while extranonce1 in self._extranonces:
            extranonce1 = os.urandom(EXTRANONCE1_BYTES)
        self._extranonces.add(extranonce1)
        self._connections.add(connection)
        session = Session(self.desk, self.accepted, extranonce1, peer, time.monotonic())
        if not self._pace_of(peer[0]).take(1.0, session.connected_s):
            session.note("connects too often", f"more than {_CONNECTIONS_S:g} a second")
        return session

    def _pace_of(self, peer: str) -> Allowance:
        """Return the allowance of new connections of a peer; the oldest is forgotten if there are too many."""
        if peer not in self._paces:
            if len(self._paces) >= _KEPT_PACES:
                del self._paces[next(iter(self._paces))]
            self._paces[peer] = Allowance(_CONNECTIONS_S, _CONNECTIONS_AT_ONCE, time.monotonic())
        return self._paces[peer]

    def _close_session(self, connection: Connection) -> None:
        session = connection.session
        self._connections.discard(connection)
        if session is not None:
            self._extranonces.discard(session.extranonce1)
            session.ended_s = time.monotonic()
            (self._mined if session.info().valid_shares else self._ended).append(session.info())
        if self._drained is not None and not self._connections:
            self._drained.set()

    async def _hand_out_jobs(self) -> None:
        made_s = time.monotonic()
        while True:
            await asyncio.sleep(self._options.notify_s)
            clean_s, now_s = self._options.clean_s, time.monotonic()
            clean = clean_s is not None and now_s - made_s >= clean_s
            if clean:
                made_s = now_s
                self.desk.source.next_block()
            self.desk.template = self.desk.source.template()
            for connection, session in self._sessions():
                connection.send(session.renew(clean=clean))

    async def _watch_times(self) -> None:
        while True:
            await asyncio.sleep(_SWEEP_S)
            now_s = time.monotonic()
            for connection in list(self._connections):
                connection.check_times(now_s)

    def _note_fault(self, _loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        """Note what the event loop would print."""
        error = context.get("exception")
        self.desk.notices.add("fault of the server", "", f"{context.get('message')}: {error!r}"[:200])


def _listener(host: str, port: int) -> socket.socket:
    """Return a listening socket on the first address of a name.

    Raises
    ------
    InputError
        It cannot be bound.
    """
    where = f"{host}:{port}"
    if not host or not 0 <= port < 65536:
        raise InputError.at("listen", expected="one address of this machine and a port from 0 to 65535", got=where)
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        listener = socket.socket(family, kind, protocol)
    except (OSError, UnicodeError):
        raise InputError.at("listen", expected="an address of this machine", got=host) from None
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(address)
    except OSError as error:
        listener.close()
        reason = os.strerror(error.errno) if error.errno else str(error)
        raise InputError(f"listen: {where}: {reason}") from None
    return listener
