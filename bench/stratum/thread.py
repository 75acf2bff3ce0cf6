"""The work server in a thread of its own, for a runner that is not asynchronous."""

import asyncio
import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Self, TypeVar

from bench.stratum.events import Notice, ShareLog
from bench.stratum.server import ServerOptions, StratumServer
from bench.stratum.session import SessionInfo
from hardware_profiles.errors import InputError

_STOP_S = 10.0  # [s] longest wait for the end of the thread
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Population:
    """The number of connections, and what tells a proxy or a miner that connects twice."""

    connected: int  # now
    working: int  # now, authorized and with a job
    accepted: int  # since the start
    peers: int  # different addresses now
    workers: int  # different authorized names now
    most_workers: int  # authorized names of one connection: more than one behind a proxy
    most_per_peer: int  # working connections of one address: more than one if a miner connects twice, or by a proxy


class WorkServer:
    """A Stratum V1 work server that any thread may use.

    Examples
    --------
    >>> with WorkServer(ServerOptions(difficulty=4096)) as server:
    ...     host, port = server.start("127.0.0.1", 0)
    ...     server.freeze_difficulty(8192)
    ...     counts = server.shares.counts(0.0, 1e12)

    Parameters
    ----------
    options
        Settings of the server.

    Raises
    ------
    InputError
        An option is out of range.
    """

    def __init__(self, options: ServerOptions | None = None) -> None:
        self._server = StratumServer(options or ServerOptions())
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread: threading.Thread | None = None
        self._frozen = False
        self._calling = threading.RLock()  # so that the loop does not end during a call of another thread

    def __enter__(self) -> Self:
        """Return the server itself."""
        return self

    def __exit__(self, *_error: object) -> None:
        """Stop the server."""
        self.stop()

    @property
    def shares(self) -> ShareLog:
        """All shares by arrival time; may be read from any thread, also after `stop`."""
        return self._server.desk.shares

    @property
    def difficulty(self) -> float:
        """The difficulty of new jobs [-]."""
        return self._server.desk.difficulty

    def start(self, host: str, port: int = 0) -> tuple[str, int]:
        """Listen, and return the address.

        Parameters
        ----------
        host
            Address of one interface; all of them only as `0.0.0.0` or `::`.
        port
            TCP port; 0 takes a free one.

        Raises
        ------
        InputError
            The server cannot listen there, or it has been started before.
        """
        if self._thread is not None:
            raise InputError("work server: expected one start, got a second")
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="stratum work server", daemon=True)
        self._thread.start()
        try:
            return asyncio.run_coroutine_threadsafe(self._server.start(host, port), self._loop).result()
        except BaseException:
            self._end_thread(self._loop)
            raise

    def stop(self) -> None:
        """Close all connections and end the thread; may be called twice, and before `start`."""
        with self._calling:
            if self._loop is None or self._loop.is_closed():
                return
            asyncio.run_coroutine_threadsafe(self._server.stop(), self._loop).result(_STOP_S)
            self._end_thread(self._loop)

    def set_difficulty(self, difficulty: float) -> None:
        """Set the difficulty of all jobs from now on; every miner gets a job at once, and earlier jobs keep theirs.

        Raises
        ------
        InputError
            The difficulty is frozen or has no target.
        """
        if self._frozen:
            raise InputError(f"difficulty: expected no change while it is frozen at {self.difficulty:g}")
        self._call(lambda: self._server.set_difficulty(difficulty))

    def freeze_difficulty(self, difficulty: float) -> None:
        """Set the difficulty and refuse every change until `release_difficulty`, so that a window has only one.

        Raises
        ------
        InputError
            The difficulty is frozen already or has no target.
        """
        self.set_difficulty(difficulty)
        self._frozen = True

    def release_difficulty(self) -> None:
        """Allow changes again."""
        self._frozen = False

    def sessions(self) -> tuple[SessionInfo, ...]:
        """Return the connections in the order of their start; see `StratumServer.sessions`."""
        return self._call(self._server.sessions)

    def notices(self) -> tuple[Notice, ...]:
        """Return what connections did wrong, counted by reason and peer."""
        return self._server.desk.notices.all()

    def population(self) -> Population:
        """Return the number of connections, peers and workers."""
        accepted = self._server.accepted  # first, so that none of them is missing among the sessions
        present = [info for info in self.sessions() if info.ended_s is None]
        working = [info.peer for info in present if info.workers]
        return Population(
            connected=len(present),
            working=len(working),
            accepted=accepted,
            peers=len({info.peer for info in present}),
            workers=len({worker for info in present for worker in info.workers}),
            most_workers=max((len(info.workers) for info in present), default=0),
            most_per_peer=max((working.count(peer) for peer in set(working)), default=0),
        )

    def _call(self, function: Callable[[], T]) -> T:
        """Return what a function returns on the server's loop, or here if the server does not run."""

        async def called() -> T:
            return function()

        with self._calling:
            if self._loop is None or self._loop.is_closed():
                return function()
            return asyncio.run_coroutine_threadsafe(called(), self._loop).result()

    def _end_thread(self, loop: asyncio.AbstractEventLoop) -> None:
        loop.call_soon_threadsafe(loop.stop)
        if self._thread is not None:
            self._thread.join(_STOP_S)
        if not loop.is_running():
            loop.close()
