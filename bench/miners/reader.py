"""The polls of a miner: one connection at a time, and never more often than its family allows, whoever asks."""

import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

from bench.errors import RunFailedError
from bench.miners.family import Family
from bench.miners.link import Address, Link
from bench.miners.record import MinerReading
from bench.miners.reply import Replies, notes
from bench.network.errors import ReadFailedError
from bench.network.login import Login


class MinerError(RunFailedError):
    """A miner could not be read; `str()` is one line with what it answered and what to do."""


@dataclass(slots=True)
class _Turn:
    """The right to connect to one address."""

    lock: threading.Lock = field(default_factory=threading.Lock)
    polled_s: float | None = None  # [s, monotonic] end of the last poll


_TURNS: dict[object, _Turn] = {}
_TURNS_LOCK = threading.Lock()


def turn(address: Address, ports: Mapping[int, int] | None = None) -> _Turn:
    """Return the turn of an address, the same one for every reader in this process.

    Parameters
    ----------
    address
        Where the miner is.
    ports
        As in `Miner`: machines behind one router differ by their ports.
    """
    key = (address.host.casefold(), address.port, tuple(sorted((ports or {}).items())))
    with _TURNS_LOCK:
        return _TURNS.setdefault(key, _Turn())


@dataclass(frozen=True, slots=True)
class Poll:
    """One poll: the record, and the replies that it was read from."""

    reading: MinerReading
    replies: Replies  # hold addresses and users: for tests and debugging, never for records


class Miner:
    """A miner on the network, and its family.

    Parameters
    ----------
    address
        Where it is.
    family
        Its family.
    login
        User and password of its web pages, for the families that need them.
    ports
        The port to connect to for each port of the family, where they differ (behind a forwarding router).
    clock, sleep
        The time [s, monotonic], and the wait for it.
    """

    def __init__(  # noqa: PLR0913 (the parts of one reader)
        self,
        address: Address,
        family: Family,
        login: Login | None = None,
        *,
        ports: Mapping[int, int] | None = None,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self.address, self.family, self.login = address, family, login
        self._ports = ports if address.port is None else {family.port: address.port}
        self._clock, self._sleep = clock, sleep
        self._turn = turn(address, ports)

    @property
    def lock(self) -> threading.Lock:
        """The right to connect to the miner; a poll holds it, and so must whoever writes."""
        return self._turn.lock

    def poll(self) -> Poll:
        """Return one poll, after a wait if the last one was shortly before.

        Raises
        ------
        MinerError
            The miner does not answer, or its answer holds no figures.
        """
        with self.lock:
            if self._turn.polled_s is not None:
                left_s = self._turn.polled_s + self.family.poll_s - self._clock()
                if left_s > 0.0:
                    self._sleep(left_s)
            read_utc = datetime.now(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
            try:
                replies = self.family.read(Link(self.address, self._ports, self.login))
            except ReadFailedError as error:
                raise MinerError(f"miner {self.address.shown}: {error}") from None
            finally:
                self._turn.polled_s = self._clock()
        reading = self.family.parse(replies)
        return Poll(replace(reading, read_utc=read_utc, warnings=(*reading.warnings, *notes(replies))), replies)
