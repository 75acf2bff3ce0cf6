"""The executor that runs shards on a Dask cluster, with results bit-identical to those of this machine.

Shards that the cluster does not deliver are run on this machine, with a note; a sum always includes all shards.
"""

from __future__ import annotations

import queue
import threading
import time
from dataclasses import dataclass
from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hardware_profiles.errors import InputError, shown
from sites.jit import compiled_digest
from sites.scenarios.cluster.connect import POLL_S, close, connect, count_workers
from sites.scenarios.engine import local, run_shard

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from sites.scenarios.engine import Executor, Run, Shard, SiteCase, Sums

CONNECT_S = 8.0  # so that with the start of Python a wrong address is refused within 10 s
GRACE_S = 10.0
SHARD_FILES = (
    "draws.py",
    "engine.py",
    "model.py",
    "stored.py",
    "../dispatch/parts.py",
    "../dispatch/problem.py",
    "../dispatch/stored/rows.py",
    "../dispatch/stored/year.py",
    "../storage/hours.py",
    "../storage/joint.py",
    "../storage/solve.py",
    "../storage/terms.py",
)


def dask(
    address: str,
    *,
    connect_s: float = CONNECT_S,
    grace_s: float = GRACE_S,
    on_note: Callable[[str], None] | None = None,
) -> Executor:
    """Return an executor that runs shards on the workers of a Dask scheduler.

    Parameters
    ----------
    address
        Address of the scheduler, "tcp://host:port" or "host:port".
    connect_s
        Time limit for a connection [s].
    grace_s
        Time without a scheduler or workers [s] after which this machine runs the remaining shards, and those of later
        runs.
    on_note
        Function that receives a note about a lost cluster.

    Raises
    ------
    InputError
        Before the first shard: the scheduler does not answer or has no workers, or Dask is not installed.
    """
    return _Cluster(address, connect_s, grace_s, on_note)


@dataclass(slots=True)
class _Cluster:
    """An executor that knows whether its cluster was ever reached, and whether it was lost."""

    address: str
    connect_s: float
    grace_s: float
    on_note: Callable[[str], None] | None
    reached: bool = False
    lost: str = ""  # the reason

    def __call__(self, cases: Sequence[SiteCase], run: Run, shards: Sequence[Shard]) -> Iterator[tuple[Shard, Sums]]:
        """Run shards on the cluster, and on this machine those that it does not deliver."""
        waiting = set(shards)
        if not self.lost:
            try:
                client = connect(self.address, self.connect_s)
            except InputError:
                if not self.reached:
                    raise
                self._lose("the scheduler does not answer any more", "the remaining shards are run on this machine")
            else:
                self.reached = True
                for done in self._remote(client, cases, run, shards):
                    waiting.remove(done[0])
                    yield done
        if waiting:
            yield from local()(cases, run, [shard for shard in shards if shard in waiting])

    def _lose(self, reason: str, consequence: str) -> None:
        self.lost = reason
        if self.on_note is not None:
            self.on_note(f"--scheduler {self.address}: {reason}, {consequence}")

    def _remote(
        self, client: Any, cases: Sequence[SiteCase], run: Run, shards: Sequence[Shard]
    ) -> Iterator[tuple[Shard, Sums]]:
        """Yield each shard once, in the order of completion; stop with a note if the cluster is lost."""
        waiting = set(shards)
        lost = failed = ""
        try:
            results: queue.Queue[tuple[Shard, Any] | str | None] = queue.Queue()
            futures = _submit(client, cases, run, shards)
            threading.Thread(target=_collect, args=(client, futures, results), daemon=True).start()
            watch = _Watch(client)
            ended = 0.0
            while waiting and not lost:
                lost = watch.trouble(self.grace_s)
                if ended and watch.good_asked_at > ended:
                    lost = f"workers failed ({failed})"
                try:
                    item = results.get(timeout=POLL_S)
                except queue.Empty:
                    continue
                if item is None:
                    ended = time.monotonic()
                elif isinstance(item, str):
                    failed = failed or item
                elif item[0] in waiting:
                    waiting.remove(item[0])
                    yield item
        finally:
            close(client)
        if waiting:
            done = f"after {len(shards) - len(waiting)} of {len(shards)} shards"
            self._lose(lost, f"{done}; the other {len(waiting)} are run on this machine")


def _submit(client: Any, cases: Sequence[SiteCase], run: Run, shards: Sequence[Shard]) -> dict[Any, Shard]:
    # Each case is a task, so that the scheduler can create it again if the worker that holds it dies.
    held = [client.submit(_same, case, pure=False) for case in cases]
    futures = {}
    for shard in shards:
        future = client.submit(
            _shard, code_digest(), held[shard.site], run, shard.first, shard.count, pure=False, retries=2,
            priority=-shard.first,
        )  # fmt: skip
        futures[future] = shard
    return futures


@cache
def code_digest() -> str:
    """Return a digest of all code that a shard's bits depend on."""
    here = Path(__file__).parents[1]
    plain = b"".join((here / name).read_bytes() for name in SHARD_FILES)
    return sha256(plain + compiled_digest().encode()).hexdigest()


def _shard(expected_digest: str, case: SiteCase, run: Run, first: int, count: int) -> Sums:
    if code_digest() != expected_digest:
        raise RuntimeError("this worker has a different version of perwatt")
    return run_shard(case, run, first, count)


def _same(case: SiteCase) -> SiteCase:
    return case


def _collect(client: Any, futures: dict[Any, Shard], results: queue.Queue[Any]) -> None:
    """Queue results in the order of completion, errors as text, and None at the end."""
    from distributed import as_completed

    try:
        for future in as_completed(list(futures), loop=client.loop):
            if future.status == "finished":
                results.put((futures[future], future.result()))
            elif future.status == "error":
                results.put(_first_line(future.exception()))
    except Exception as error:  # noqa: BLE001 - a lost connection raises many kinds of errors
        results.put(_first_line(error))
    results.put(None)


def _first_line(error: BaseException) -> str:
    return shown(f"{type(error).__name__}: {error}".splitlines()[0])


class _Watch:
    """A monitor that polls the workers of a scheduler in a thread, because an answer may never come."""

    def __init__(self, client: Any) -> None:
        self.good_at = time.monotonic()
        # When the last question was asked that found workers: an answer may arrive long after the scheduler gave it.
        self.good_asked_at = self.good_at
        self._client = client
        self._answered_at = self.good_at
        threading.Thread(target=self._ask, daemon=True).start()

    def _ask(self) -> None:
        while self._client.status not in {"closing", "closed"}:
            asked_at = time.monotonic()
            workers = count_workers(self._client)
            if workers is not None:
                self._answered_at = time.monotonic()
            if workers:
                self.good_at, self.good_asked_at = self._answered_at, asked_at
            time.sleep(POLL_S)

    def trouble(self, grace_s: float) -> str:
        """Return the trouble that has lasted longer than grace_s [s], or an empty text."""
        now = time.monotonic()
        if now - self._answered_at > grace_s:
            return "the scheduler was lost"
        return "all workers were lost" if now - self.good_at > grace_s else ""
