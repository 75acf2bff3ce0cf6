"""The simulated miner: it scans on the CPU, submits shares, obeys its personality and counts every hash."""

import contextlib
import random
import time
from collections import Counter, deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from bench.stratum.simulator.client import Client, SessionEndedError
from bench.stratum.simulator.personality import Personality
from bench.stratum.simulator.work import Attempt, BadJobError, Work, attempts, run_slice

SLICE_S = 0.05  # [s] length of one scan, after which the miner looks at its messages
FIRST_SLICE, LARGEST_SLICE = 1 << 16, 1 << 30  # [nonces]
LAST_REPLIES_S = 2.0  # [s] how long the miner waits at its end for the answers to its shares
AGAIN_S = 0.5  # [s] pause before it connects again
MOST_FAILURES = 5  # connections without a share, one after the other, after which it gives up


@dataclass(slots=True)
class Tally:
    """What a simulated miner has done so far."""

    hashes: int = 0  # every nonce that was hashed, exactly
    scan_s: float = 0.0  # [s] time within the scans
    elapsed_s: float = 0.0  # [s] from the first scan until now
    shares: int = 0  # hits that were to be submitted, each once
    submitted: int = 0  # messages sent, duplicates included
    accepted: int = 0
    refused: Counter[str] = field(default_factory=Counter)  # by the server's words
    unanswered: int = 0
    connections: int = 0
    jobs: int = 0

    @property
    def rate_h_s(self) -> float:
        """Hashes per second of the whole time [hash/s]; 0 before the first scan."""
        return self.hashes / self.elapsed_s if self.elapsed_s > 0.0 else 0.0


class SimulatedMiner:
    """One miner: a client of the protocol whose chips are the CPU of this machine.

    Parameters
    ----------
    host, port
        The work server.
    worker
        Name of the worker.
    personality
        Its habits and faults.
    variant
        Variant of the scan; None takes the first that can run.
    threads
        CPU threads.
    slice_nonces
        Nonces of one scan; None chooses so many that it lasts about 50 ms.
    seed
        Of the draws of the personality.
    """

    def __init__(  # noqa: PLR0913 (the options of one miner)
        self,
        host: str,
        port: int,
        worker: str = "perwatt.simulator",
        *,
        personality: Personality | None = None,
        variant: str | None = None,
        threads: int = 1,
        slice_nonces: int | None = None,
        seed: int = 0,
    ) -> None:
        self.tally = Tally()
        self._address, self._worker = (host, port), worker
        self._personality = personality or Personality()
        self._variant, self._threads = variant, threads
        self._fixed, self._slice = slice_nonces, slice_nonces or FIRST_SLICE
        self._draws = random.Random(seed)  # noqa: S311 (which shares are sent twice; guards nothing)
        self._started_s: float | None = None
        self._pending: dict[int, None] = {}  # numbers of the submissions without an answer
        self._late: deque[tuple[float, list[str]]] = deque()  # when to send, and what
        self._stopped = False

    def stop(self) -> None:
        """End `run` after the current scan; another thread may call it."""
        self._stopped = True

    def run(self, done: Callable[[Tally], bool] = lambda _: False) -> Tally:
        """Mine until `done`, until `stop`, or until the personality closes; connect again after each end.

        Raises
        ------
        SessionEndedError
            There was no connection, or several in a row ended without a share.
        """
        for _ in range(self._personality.storm):
            client = self._connect()
            with contextlib.suppress(SessionEndedError):
                client.shake_hands()
            client.close()
        failures = 0
        while not self._ended(done):
            before = self.tally.shares
            try:
                self._mine(done)
            except SessionEndedError:
                failures = 0 if self.tally.shares > before else failures + 1
                if failures >= MOST_FAILURES or self.tally.connections == 0:
                    raise
                self._pause(AGAIN_S)
        return self.tally

    def _ended(self, done: Callable[[Tally], bool]) -> bool:
        limit = self._personality.close_after
        return self._stopped or done(self.tally) or (limit is not None and self.tally.shares >= limit)

    def _connect(self) -> Client:
        client = Client(*self._address, self._worker, self._personality)
        self.tally.connections += 1
        return client

    def _mine(self, done: Callable[[Tally], bool]) -> None:
        client = self._connect()
        try:
            client.shake_hands()
            self._late.clear()
            for attempt in self._attempts(client, done):
                self._scan(attempt)
                self._send_due(client)
            if self._personality.close_after is None:
                self._take_last(client)
        finally:
            self.tally.jobs += client.session.jobs
            self.tally.unanswered += len(self._pending)
            self._pending.clear()
            client.close()

    def _attempts(self, client: Client, done: Callable[[Tally], bool]) -> Iterator[Attempt]:
        """Yield headers of the newest job, or of the one before it as long as the personality keeps it."""
        work: Work | None = None
        headers: Iterator[Attempt] = iter(())
        switch_s = -1.0  # [s, monotonic] when the miner takes the newest job
        while not self._ended(done):
            client.pump(0.0 if work is not None else 0.1)
            self._take_replies(client)
            newest = client.session.work
            if newest is not None and newest is not work:
                now = time.monotonic()
                if switch_s < 0.0:
                    switch_s = now if work is None else now + self._personality.stale_s
                if now >= switch_s:
                    work, headers, switch_s = newest, attempts(newest, self._personality), -1.0
            if work is not None:
                yield next(headers)

    def _scan(self, attempt: Attempt) -> None:
        started_s = time.monotonic()
        if self._started_s is None:
            self._started_s = started_s
        try:
            part = run_slice(attempt, self._slice, self._personality, variant=self._variant, threads=self._threads)
        except BadJobError as error:
            raise SessionEndedError(str(error)) from None
        ended_s = time.monotonic()
        self.tally.hashes += part.hashes
        self.tally.scan_s += ended_s - started_s
        self.tally.elapsed_s = ended_s - self._started_s
        if self._fixed is None:
            self._adapt(ended_s - started_s)
        for nonce in part.nonces:
            limit = self._personality.close_after
            if limit is not None and self.tally.shares >= limit:
                return
            self.tally.shares += 1
            submission = attempt.submission(self._worker, nonce)
            twice = self._draws.random() < self._personality.duplicates_frac
            self._late.extend([(ended_s + self._personality.late_s, submission)] * (2 if twice else 1))

    def _adapt(self, scan_s: float) -> None:
        if scan_s < SLICE_S / 2.0 and self._slice < LARGEST_SLICE:
            self._slice *= 2
        elif scan_s > SLICE_S * 2.0 and self._slice > FIRST_SLICE:
            self._slice //= 2

    def _send_due(self, client: Client) -> None:
        while self._late and self._late[0][0] <= time.monotonic():
            _, submission = self._late.popleft()
            self._pending[client.send("mining.submit", list(submission))] = None
            self.tally.submitted += 1

    def _take_replies(self, client: Client) -> None:
        while client.session.replies:
            number, result, error = client.session.replies.popleft()
            if number not in self._pending:
                continue
            del self._pending[number]
            if result is True:
                self.tally.accepted += 1
            else:
                words = error[1] if isinstance(error, list) and len(error) > 1 else "refused"
                self.tally.refused[str(words)] += 1

    def _take_last(self, client: Client) -> None:
        """Send what is still due and wait for the answers, a limited time."""
        while self._late:
            self._pause(max(0.0, self._late[0][0] - time.monotonic()))
            self._send_due(client)
        deadline_s = time.monotonic() + LAST_REPLIES_S
        while self._pending and time.monotonic() < deadline_s:
            client.pump(0.05)
            self._take_replies(client)

    @staticmethod
    def _pause(seconds: float) -> None:
        time.sleep(seconds)
