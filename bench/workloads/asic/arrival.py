"""The arrival of the miner at the work server, and what tells one machine from a proxy or from several."""

import time
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass

from bench.errors import RunFailedError
from bench.stratum.session import SessionInfo
from bench.stratum.thread import WorkServer

LOOK_S = 0.25  # [s] between two looks at the connections


@dataclass(frozen=True, slots=True)
class Unit:
    """The miner under test: the connections of one address with one user agent."""

    peer: str  # address of the client; stays out of records
    user_agent: str

    def owns(self, session: SessionInfo) -> bool:
        """Return whether a connection is this miner's."""
        return session.peer == self.peer and session.user_agent == self.user_agent and bool(session.workers)

    def sessions(self, sessions: Iterable[SessionInfo]) -> list[SessionInfo]:
        """Return the connections of this miner."""
        return [session for session in sessions if self.owns(session)]


@dataclass(frozen=True, slots=True)
class Company:
    """The connections during a span of time, as far as they cast doubt on one connection being one machine."""

    own: tuple[SessionInfo, ...]
    at_once: int  # most connections of the miner at one time
    workers: tuple[str, ...]  # names that the miner authorized
    neighbours: int  # connections of the same address with another user agent: a proxy or a router in between
    strangers: int  # working connections of other addresses


def wait_for_miner(
    server: WorkServer,
    limit_s: float,
    addresses: Collection[str] = (),
    on_wait: Callable[[float], None] = lambda _: None,
) -> Unit:
    """Return the first miner that is authorized and works; one of the known addresses if there are any.

    A miner of another address is taken at the end of the time, because a router may stand in between.

    Parameters
    ----------
    server
        The work server.
    limit_s
        Longest wait [s].
    addresses
        Addresses of the miner whose firmware is read; empty if none is.
    on_wait
        Is called now and then with the time that has passed [s].

    Raises
    ------
    RunFailedError
        No miner came.
    """
    start_s = time.monotonic()
    patience_s = min(limit_s, 10.0)  # [s] that an unknown address waits for a known one
    while (passed_s := time.monotonic() - start_s) < limit_s:
        working = [session for session in server.sessions() if session.workers and session.ended_s is None]
        known = [session for session in working if session.peer in addresses]
        if known or (working and (not addresses or passed_s >= patience_s)):
            first = min(known or working, key=lambda session: session.connected_s)
            return Unit(first.peer, first.user_agent)
        on_wait(passed_s)
        time.sleep(LOOK_S)
    raise RunFailedError(_nobody(server, limit_s))


def _nobody(server: WorkServer, limit_s: float) -> str:
    noticed = ", ".join(f"{reason} ({count})" for reason, count in sorted(notice_counts(server).items()))
    seen = f"; connections so far: {noticed}" if noticed else "; nothing has connected, so check address and firewall"
    return f"no miner was authorized within {limit_s:.0f} s{seen}"


def notice_counts(server: WorkServer) -> dict[str, int]:
    """Return the number of connections by what the server noted of them."""
    totals: dict[str, int] = {}
    for notice in server.notices():
        totals[notice.reason] = totals.get(notice.reason, 0) + notice.count
    return totals


def company(sessions: Iterable[SessionInfo], unit: Unit, start_s: float, end_s: float) -> Company:
    """Return the connections during a span of time [s, monotonic]."""
    present = [
        session
        for session in sessions
        if session.workers and session.connected_s < end_s and (session.ended_s is None or session.ended_s > start_s)
    ]
    own = tuple(unit.sessions(present))
    return Company(
        own=own,
        at_once=_most_at_once(own, start_s, end_s),
        workers=tuple(dict.fromkeys(worker for session in own for worker in session.workers)),
        neighbours=sum(session.peer == unit.peer and not unit.owns(session) for session in present),
        strangers=sum(session.peer != unit.peer for session in present),
    )


def _most_at_once(sessions: Iterable[SessionInfo], start_s: float, end_s: float) -> int:
    edges = []
    for session in sessions:
        edges.append((max(session.connected_s, start_s), 1))
        edges.append((min(session.ended_s if session.ended_s is not None else end_s, end_s), -1))
    most = now = 0
    for _, change in sorted(edges):
        now += change
        most = max(most, now)
    return most


def disconnected_s(sessions: Iterable[SessionInfo], start_s: float, end_s: float) -> float:
    """Return the time of a span in which none of these connections stood [s]."""
    covered_s, reached_s = 0.0, start_s
    for session in sorted(sessions, key=lambda session: session.connected_s):
        first_s = max(session.connected_s, reached_s)
        last_s = min(session.ended_s if session.ended_s is not None else end_s, end_s)
        if last_s > first_s:
            covered_s, reached_s = covered_s + last_s - first_s, last_s
    return max(0.0, end_s - start_s - covered_s)
