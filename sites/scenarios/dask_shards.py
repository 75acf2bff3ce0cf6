"""Fleets beyond one machine: shards through a Dask scheduler, with the bits that this machine gives.

What a cluster does not deliver is finished here, and said; a sum is never made of a part of the shards.
"""

from __future__ import annotations

import logging
import queue
import re
import socket
import threading
import time
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hardware_profiles.errors import InputError, shown
from sites.jit import compiled_digest
from sites.scenarios.engine import local, run_shard

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from sites.scenarios.engine import Executor, Run, Shard, SiteCase, Sums

CONNECT_S = 10.0
GRACE_S = 10.0
POLL_S = 0.2
MOST_PORT = 65_535
SHARD_FILES = ("engine.py", "model.py")


def dask(
    address: str,
    *,
    connect_s: float = CONNECT_S,
    grace_s: float = GRACE_S,
    on_note: Callable[[str], None] | None = None,
) -> Executor:
    """Return an executor that runs shards on the workers of a Dask scheduler.

    address: "tcp://host:port" or "host:port". connect_s: [s] to wait for an answer. grace_s: [s] without a scheduler or
    without any worker after which the rest is finished on this machine, and so are later runs; on_note is told so.

    Raises InputError, before any shard is run, where no scheduler answers, it has no workers, or Dask is not installed.
    """
    return _Cluster(address, connect_s, grace_s, on_note)


@dataclass(slots=True)
class _Cluster:
    """An executor that remembers whether its cluster was ever reached, and whether it was lost since."""

    address: str
    connect_s: float
    grace_s: float
    on_note: Callable[[str], None] | None
    reached: bool = False
    lost: str = ""

    def __call__(self, cases: Sequence[SiteCase], run: Run, shards: Sequence[Shard]) -> Iterator[tuple[Shard, Sums]]:
        """Run shards on the cluster, and here what it does not deliver."""
        waiting = set(shards)
        if not self.lost:
            try:
                client = _connect(self.address, self.connect_s)
            except InputError:
                if not self.reached:
                    raise
                self._lose("the scheduler does not answer any more", "what is left is run on this machine")
            else:
                self.reached = True
                for done in self._remote(client, cases, run, shards):
                    waiting.remove(done[0])
                    yield done
        if waiting:
            yield from local()(cases, run, [shard for shard in shards if shard in waiting])

    def _lose(self, why: str, then: str) -> None:
        self.lost = why
        if self.on_note is not None:
            self.on_note(f"--scheduler {self.address}: {why}, {then}")

    def _remote(
        self, client: Any, cases: Sequence[SiteCase], run: Run, shards: Sequence[Shard]
    ) -> Iterator[tuple[Shard, Sums]]:
        """Give each shard once, as it comes; where the cluster is lost, say so and give no more."""
        waiting = set(shards)
        lost = failed = ""
        try:
            found: queue.Queue[tuple[Shard, Any] | str | None] = queue.Queue()
            futures = _submit(client, cases, run, shards)
            threading.Thread(target=_collect, args=(client, futures, found), daemon=True).start()
            watch = _Watch(client)
            ended = 0.0
            while waiting and not lost:
                lost = watch.trouble(self.grace_s)
                if ended and watch.good_at > ended:
                    lost = f"workers failed ({failed})"
                try:
                    item = found.get(timeout=POLL_S)
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
            _close(client)
        if waiting:
            done = f"after {len(shards) - len(waiting)} of {len(shards)} shards"
            self._lose(lost, f"{done}; the other {len(waiting)} are finished on this machine")


def _connect(address: str, connect_s: float) -> Any:
    try:
        from distributed import Client
    except ImportError:
        raise InputError(
            "--scheduler: expected Dask beside perwatt, got none installed; pip install 'perwatt[scale]'"
        ) from None
    place = f"--scheduler {address}"
    logging.getLogger("distributed.client").setLevel(logging.CRITICAL)  # our own line says it
    parts = re.fullmatch(r"(?:(?:tcp|tls)://)?(\[[0-9a-fA-F:]+\]|[^:/\s\[\]]+):(\d{1,5})", address)
    if parts is None or int(parts[2]) > MOST_PORT:
        raise InputError.at("--scheduler", expected="an address like tcp://host:8786", got=address)
    try:
        _knock(parts[1].strip("[]"), int(parts[2]), connect_s)
        client = _greet(lambda: Client(address, timeout=connect_s, set_as_default=False), connect_s)
    except (OSError, OverflowError, ValueError, TypeError) as error:
        reason = shown(str(error) or type(error).__name__)
        raise InputError(f"{place}: expected a Dask scheduler that answers in {connect_s:g} s, got {reason}") from None
    until = time.monotonic() + connect_s
    while not _workers(client):
        if time.monotonic() > until:
            _close(client)
            raise InputError(f"{place}: expected at least one worker within {connect_s:g} s, got none")
        time.sleep(POLL_S)
    return client


def _greet(connect: Callable[[], Any], connect_s: float) -> Any:
    """Connect within a time: Dask's own waits for ever where something else than a scheduler listens.

    Raises TimeoutError, and whatever connecting raises.
    """
    found: queue.Queue[Any] = queue.Queue()

    def attempt() -> None:
        try:
            found.put(connect())
        except Exception as error:  # noqa: BLE001 - raised below, in the thread that waits for it
            found.put(error)

    threading.Thread(target=attempt, daemon=True).start()
    try:
        client = found.get(timeout=connect_s)
    except queue.Empty:
        raise TimeoutError("something else, or nothing that speaks") from None
    if isinstance(client, Exception):
        raise client
    return client


def _knock(host: str, port: int, connect_s: float) -> None:
    """Wait until something listens; Dask's own client waits for ever on some addresses that nobody can answer."""
    until = time.monotonic() + connect_s
    while True:
        try:
            socket.create_connection((host, port), timeout=connect_s).close()
        except OSError:
            if time.monotonic() > until:
                raise
            time.sleep(POLL_S)
        else:
            return


def _submit(client: Any, cases: Sequence[SiteCase], run: Run, shards: Sequence[Shard]) -> dict[Any, Shard]:
    # A case is a task of its own, so that the scheduler can make it again when the worker that held it dies.
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
    here = Path(__file__).parent
    plain = b"".join((here / name).read_bytes() for name in SHARD_FILES)
    return sha256(plain + compiled_digest().encode()).hexdigest()


def _shard(made_from: str, case: SiteCase, run: Run, first: int, count: int) -> Sums:
    if code_digest() != made_from:
        raise RuntimeError("perwatt on this worker is another version")
    return run_shard(case, run, first, count)


def _same(case: SiteCase) -> SiteCase:
    return case


def _collect(client: Any, futures: dict[Any, Shard], found: queue.Queue[Any]) -> None:
    """Pass results on as they come, errors as text; None at the end."""
    from distributed import as_completed

    try:
        for future in as_completed(list(futures), loop=client.loop):
            if future.status == "finished":
                found.put((futures[future], future.result()))
            elif future.status == "error":
                found.put(_first_line(future.exception()))
    except Exception as error:  # noqa: BLE001 - a lost connection shows in many errors; the rest is finished here
        found.put(_first_line(error))
    found.put(None)


def _first_line(error: BaseException) -> str:
    return shown(f"{type(error).__name__}: {error}".splitlines()[0])


class _Watch:
    """Asks a scheduler for its workers again and again, in a thread of its own, for an answer may never come."""

    def __init__(self, client: Any) -> None:
        self.good_at = time.monotonic()
        self._client = client
        self._answered_at = self.good_at
        threading.Thread(target=self._ask, daemon=True).start()

    def _ask(self) -> None:
        while self._client.status not in {"closing", "closed"}:
            workers = _workers(self._client)
            if workers is not None:
                self._answered_at = time.monotonic()
                self.good_at = self._answered_at if workers else self.good_at
            time.sleep(POLL_S)

    def trouble(self, grace_s: float) -> str:
        """Return what has been wrong for longer than grace_s [s], or nothing."""
        now = time.monotonic()
        if now - self._answered_at > grace_s:
            return "the scheduler was lost"
        return "all workers were lost" if now - self.good_at > grace_s else ""


def _workers(client: Any) -> int | None:
    try:
        return len(client.scheduler_info(n_workers=-1)["workers"])
    except Exception:  # noqa: BLE001 - whatever it is, there was no answer
        return None


def _close(client: Any) -> None:
    with suppress(Exception):  # it may be gone already
        client.close(timeout=2)
