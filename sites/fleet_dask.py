"""Fleets beyond one machine: shards through a Dask scheduler, with the bits that this machine gives.

What a cluster does not deliver is finished here, and said; a sum is never made of a part of the shards.
"""

from __future__ import annotations

import queue
import threading
import time
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from hardware_profiles.errors import InputError, shown
from sites.fleet import local, run_shard

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from sites.fleet import Executor, Run, Shard, SiteCase, Sums

CONNECT_S = 10.0
GRACE_S = 5.0
POLL_S = 0.2


def dask(
    address: str,
    *,
    connect_s: float = CONNECT_S,
    grace_s: float = GRACE_S,
    on_note: Callable[[str], None] | None = None,
) -> Executor:
    """Return an executor that runs shards on the workers of a Dask scheduler.

    address: "tcp://host:port" or "host:port". connect_s: [s] to wait for an answer. grace_s: [s] without a scheduler or
    without any worker after which the rest is finished on this machine; on_note is told so.

    Raises InputError, before any shard is run, where no scheduler answers, it has no workers, or Dask is not installed.
    """

    def execute(cases: Sequence[SiteCase], run: Run, shards: Sequence[Shard]) -> Iterator[tuple[Shard, Sums]]:
        waiting = set(shards)
        client = _connect(address, connect_s)
        lost = failed = ""
        try:
            found: queue.Queue[tuple[Shard, Any] | str | None] = queue.Queue()
            futures = _submit(client, cases, run, shards)
            threading.Thread(target=_collect, args=(client, futures, found), daemon=True).start()
            since = time.monotonic()
            while waiting and not lost:
                try:
                    item = found.get(timeout=POLL_S)
                except queue.Empty:
                    trouble = _trouble(client)
                    since = since if trouble else time.monotonic()
                    lost = trouble if trouble and time.monotonic() - since > grace_s else ""
                    continue
                if item is None:
                    lost = _trouble(client) or f"workers failed ({failed})"
                elif isinstance(item, str):
                    failed = failed or item
                elif item[0] in waiting:
                    waiting.remove(item[0])
                    yield item
        finally:
            _close(client)
        if waiting:
            if on_note is not None:
                on_note(
                    f"--scheduler {address}: {lost} after {len(shards) - len(waiting)} of {len(shards)} shards; "
                    f"the other {len(waiting)} are finished on this machine"
                )
            yield from local()(cases, run, [shard for shard in shards if shard in waiting])

    return execute


def _connect(address: str, connect_s: float) -> Any:
    try:
        from distributed import Client
    except ImportError:
        raise InputError(
            "--scheduler: expected Dask beside perwatt, got none installed; pip install 'perwatt[scale]'"
        ) from None
    place = f"--scheduler {address}"
    try:
        client = Client(address, timeout=connect_s, set_as_default=False)
    except (OSError, ValueError, TypeError) as error:
        reason = shown(str(error) or type(error).__name__)
        raise InputError(f"{place}: expected a Dask scheduler that answers in {connect_s:g} s, got {reason}") from None
    until = time.monotonic() + connect_s
    while not _workers(client):
        if time.monotonic() > until:
            _close(client)
            raise InputError(f"{place}: expected at least one worker within {connect_s:g} s, got none")
        time.sleep(POLL_S)
    return client


def _submit(client: Any, cases: Sequence[SiteCase], run: Run, shards: Sequence[Shard]) -> dict[Any, Shard]:
    # A case is a task of its own, so that the scheduler can make it again when the worker that held it dies.
    held = [client.submit(_same, case, pure=False) for case in cases]
    futures = {}
    for shard in shards:
        future = client.submit(
            run_shard, held[shard.site], run, shard.first, shard.count, pure=False, retries=2, priority=-shard.first
        )
        futures[future] = shard
    return futures


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


def _trouble(client: Any) -> str:
    """Return what is wrong with a cluster, or nothing."""
    if client.status != "running":
        return "the scheduler was lost"
    return "" if _workers(client) else "all workers were lost"


def _workers(client: Any) -> int:
    try:
        return len(client.scheduler_info(n_workers=-1)["workers"])
    except Exception:  # noqa: BLE001 - whatever it is, nobody can be counted
        return 0


def _close(client: Any) -> None:
    with suppress(Exception):  # it may be gone already
        client.close(timeout=2)
