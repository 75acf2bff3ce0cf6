"""A work server without sockets: shares that a seeded miner sends over the test's own time."""

import random

from bench import limits
from bench.stratum.difficulty import hashes_of
from bench.stratum.events import ShareLog
from bench.stratum.session import SessionInfo
from bench.stratum.verify import ShareClass, Verdict

RATE_H_S = 2e14  # [hash/s] of the miner in the tests
AGENT = "cgminer/4.11.1"


def codes(record):
    """Return the codes of a record: reasons and warnings."""
    return {reason.code for reason in (*record.reasons, *record.warnings)}


def session(number=1, peer="192.0.2.7", agent=AGENT, *, workers=("w",), start_s=0.0, end_s=None, **changes):
    """Return the information of one connection."""
    values = {
        "number": number, "peer": peer, "peer_port": 40000 + number, "connected_s": start_s, "ended_s": end_s,
        "end_reason": "" if end_s is None else "closed by the client", "user_agent": agent, "workers": workers,
        "mask": 0x1FFFE000, "suggested_difficulty": None, "minimum_difficulty": None, "valid_shares": 500,
        "other_shares": 0, "last_share_s": None,
    }  # fmt: skip
    return SessionInfo(**values | changes)


class FakeWorkServer:
    """Has the shares of one steady miner from `start_s` to `end_s`; `ticket_mask` is that of its chips over D."""

    def __init__(self, rate_h_s, difficulty, *, start_s=0.0, end_s=10_000.0, seed=0, ticket_mask=1.0, gaps=(),
                 refused=(), sessions=None, kept=limits.SHARES_KEPT):  # fmt: skip
        self.shares, self.difficulty = ShareLog(kept), difficulty
        self._sessions = [session()] if sessions is None else sessions
        draws, now_s = random.Random(seed), start_s
        while (now_s := now_s + draws.expovariate(rate_h_s / hashes_of(difficulty) / ticket_mask)) < end_s:
            if any(first <= now_s < last for first, last in gaps):
                continue
            share_class = ShareClass.VALID
            for name, frac in refused:
                share_class = name if draws.random() < frac else share_class
            verdict = Verdict(share_class, difficulty, draws.random() / ticket_mask)
            self.shares.append(now_s, verdict, draws.random() * 25.0, 1, "w")

    def sessions(self):
        return tuple(self._sessions)

    def notices(self):
        return ()

    def add(self, now_s, share_class=ShareClass.VALID, number=1, difficulty=None, hash_frac=0.5):
        self.shares.append(now_s, Verdict(share_class, difficulty or self.difficulty, hash_frac), 1.0, number, "w")
