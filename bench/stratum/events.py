"""The share log and the notices: bounded records that the server's thread writes and any thread reads."""

import bisect
import math
import threading
import time
from array import array
from collections import Counter
from dataclasses import dataclass
from typing import Any

import numpy as np

from bench import limits
from bench.stratum.verify import ShareClass, Verdict

KEPT_NAMES = 4_096  # distinct names of workers; further ones share one entry
KEPT_NOTICES = 512  # pairs of reason and peer; further peers of a reason are counted together
OTHERS = "(others)"
_CLASSES = tuple(ShareClass)


@dataclass(frozen=True, slots=True)
class ShareEvent:
    """One share that a miner sent."""

    arrival_s: float  # [s, monotonic]
    share_class: ShareClass
    difficulty: float  # [-] issued with its job; 0 if there is no such job
    hash_frac: float  # [-] hash over target; NaN if it was not hashed
    job_age_s: float  # [s] since its job was issued; NaN if there is no such job
    session: int  # number of the connection
    worker: str


@dataclass(frozen=True, slots=True)
class ShareTable:
    """The shares of a span of time, as columns; `select` keeps those of one class."""

    arrival_s: np.ndarray  # [s, monotonic], rising
    share_class: np.ndarray  # index into the members of ShareClass
    difficulty: np.ndarray  # [-] issued
    hash_frac: np.ndarray  # [-]
    job_age_s: np.ndarray  # [s]
    session: np.ndarray  # number of the connection

    def select(self, share_class: ShareClass) -> "ShareTable":
        """Return the shares of one class."""
        rows = self.share_class == _CLASSES.index(share_class)
        return ShareTable(*(getattr(self, name)[rows] for name in self.__dataclass_fields__))


class ShareLog:
    """The newest shares of all connections, in the order of their arrival."""

    def __init__(self, capacity: int = limits.SHARES_KEPT) -> None:
        self._capacity = capacity
        self._dropped = 0  # shares that are no longer kept
        self._complete_from_s = -math.inf
        self._floats = tuple(array("d") for _ in range(4))  # arrival, difficulty, hash_frac, job age
        self._classes, self._sessions, self._workers = array("B"), array("L"), array("H")
        self._names: dict[str, int] = {}
        self._changed = threading.Condition()

    def append(self, arrival_s: float, verdict: Verdict, job_age_s: float, session: int, worker: str) -> None:
        """Add a share that arrived after all others [s, monotonic]."""
        with self._changed:
            for column, value in zip(
                self._floats, (arrival_s, verdict.difficulty, verdict.hash_frac, job_age_s), strict=True
            ):
                column.append(value)
            self._classes.append(_CLASSES.index(verdict.share_class))
            self._sessions.append(session)
            self._workers.append(self._name_index(worker))
            if len(self._classes) > self._capacity * 9 // 8:
                self._drop(len(self._classes) - self._capacity)
            self._changed.notify_all()

    @property
    def end(self) -> int:
        """The cursor behind the newest share: their number since the start."""
        with self._changed:
            return self._dropped + len(self._classes)

    @property
    def complete_from_s(self) -> float:
        """The moment since which every share is kept [s, monotonic]; minus infinity if all are."""
        with self._changed:
            return self._complete_from_s

    def since(self, cursor: int, most: int = 10_000) -> tuple[list[ShareEvent], int]:
        """Return shares from a cursor on, at most so many, and the cursor behind them.

        Parameters
        ----------
        cursor
            0, an earlier cursor, or `end`; shares that are no longer kept are left out.
        most
            Largest number of shares.
        """
        with self._changed:
            first = max(cursor - self._dropped, 0)
            last = min(first + most, len(self._classes))
            names = list(self._names)
            events = [
                ShareEvent(
                    self._floats[0][i],
                    _CLASSES[self._classes[i]],
                    self._floats[1][i],
                    self._floats[2][i],
                    self._floats[3][i],
                    self._sessions[i],
                    names[self._workers[i]],
                )
                for i in range(first, last)
            ]
            return events, self._dropped + max(first, last)

    def wait(self, cursor: int, timeout_s: float) -> bool:
        """Wait until there is a share behind a cursor; return whether there is, after at most so long [s]."""
        with self._changed:
            return self._changed.wait_for(lambda: self._dropped + len(self._classes) > cursor, timeout_s)

    def counts(self, start_s: float, end_s: float) -> dict[ShareClass, int]:
        """Return the number of shares of every class that arrived from one moment until before another."""
        with self._changed:
            inside = self._classes[self._rows(start_s, end_s)]
        numbers = Counter(inside)
        return {share_class: numbers[index] for index, share_class in enumerate(_CLASSES)}

    def table(self, start_s: float, end_s: float) -> ShareTable:
        """Return the shares that arrived from one moment until before another [s, monotonic]."""
        with self._changed:
            rows = self._rows(start_s, end_s)
            arrival, difficulty, hash_frac, job_age = (np.array(column[rows]) for column in self._floats)
            classes, sessions = np.array(self._classes[rows]), np.array(self._sessions[rows])
        return ShareTable(arrival, classes, difficulty, hash_frac, job_age, sessions)

    def _rows(self, start_s: float, end_s: float) -> slice:
        arrivals = self._floats[0]
        return slice(bisect.bisect_left(arrivals, start_s), bisect.bisect_left(arrivals, end_s))

    def _name_index(self, worker: str) -> int:
        if worker not in self._names and len(self._names) >= KEPT_NAMES - 1:
            worker = OTHERS
        return self._names.setdefault(worker, len(self._names))

    def _drop(self, count: int) -> None:
        self._complete_from_s = math.nextafter(self._floats[0][count - 1], math.inf)
        columns: tuple[array[Any], ...] = (*self._floats, self._classes, self._sessions, self._workers)
        for column in columns:
            del column[:count]
        self._dropped += count


@dataclass(frozen=True, slots=True)
class Notice:
    """A fault of clients, or the reason why their connections were closed."""

    reason: str
    peer: str  # address of the client; `(others)` for all beyond the limit of the list
    count: int  # connections that did it, each once
    first_s: float  # [s, monotonic]
    last_s: float  # [s, monotonic]
    detail: str  # of the first


class NoticeLog:
    """A bounded list of notices, counted by reason and peer."""

    def __init__(self) -> None:
        self._notices: dict[tuple[str, str], Notice] = {}
        self._lock = threading.Lock()

    def add(self, reason: str, peer: str, detail: str = "") -> None:
        """Count a reason of a peer once more."""
        now_s = time.monotonic()
        with self._lock:
            if (reason, peer) not in self._notices and len(self._notices) >= KEPT_NOTICES:
                peer = OTHERS
            old = self._notices.get((reason, peer))
            new = Notice(reason, peer, 1, now_s, now_s, detail)
            if old is not None:
                new = Notice(reason, peer, old.count + 1, old.first_s, now_s, old.detail)
            self._notices[reason, peer] = new

    def all(self) -> tuple[Notice, ...]:
        """Return all notices, in the order of their first occurrence."""
        with self._lock:
            return tuple(self._notices.values())

    def counts(self) -> dict[str, int]:
        """Return the number of connections by reason."""
        totals: Counter[str] = Counter()
        for notice in self.all():
            totals[notice.reason] += notice.count
        return dict(totals)
