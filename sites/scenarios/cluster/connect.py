"""The connection to a Dask scheduler, refused within a time limit if the address is that of another program."""

from __future__ import annotations

import asyncio
import logging
import queue
import re
import socket
import threading
import time
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from hardware_profiles.errors import InputError, shown

if TYPE_CHECKING:
    from collections.abc import Callable

POLL_S = 0.2
MAX_PORT = 65_535


def connect(address: str, connect_s: float) -> Any:
    """Return a Dask client of a scheduler that has workers.

    Raises
    ------
    InputError
        The address is wrong, the scheduler does not answer in time or has no workers, or Dask is not installed.
    """
    try:
        from distributed import Client
    except ImportError:
        raise InputError("--scheduler: expected Dask to be installed, got none; pip install 'perwatt[scale]'") from None
    option = f"--scheduler {address}"
    logging.getLogger("distributed.client").setLevel(logging.CRITICAL)  # the InputError below reports it
    parts = re.fullmatch(r"(?:(?:tcp|tls)://)?(\[[0-9a-fA-F:]+\]|[^:/\s\[\]]+):(\d{1,5})", address)
    if parts is None or int(parts[2]) > MAX_PORT:
        raise InputError.at("--scheduler", expected="an address like tcp://host:8786", got=address)
    until = time.monotonic() + connect_s
    try:
        _knock(parts[1].strip("[]"), int(parts[2]), connect_s)
        _within(until, lambda: asyncio.run(_ask_identity(address, until)))
        client = _within(until, lambda: Client(address, timeout=_left_s(until), set_as_default=False))
    except (OSError, OverflowError, ValueError, TypeError, MemoryError) as error:
        reason = shown(str(error) or type(error).__name__)
        raise InputError(f"{option}: expected a Dask scheduler that answers in {connect_s:g} s, got {reason}") from None
    until = time.monotonic() + connect_s
    while not count_workers(client):
        if time.monotonic() > until:
            close(client)
            raise InputError(f"{option}: expected at least one worker within {connect_s:g} s, got none")
        time.sleep(POLL_S)
    return client


def _left_s(until: float) -> float:
    return max(until - time.monotonic(), POLL_S)


async def _ask_identity(address: str, until: float) -> None:
    """Ask a listener for its identity, because a client of Dask that fails half-way cannot be closed at once.

    Raises
    ------
    OSError
        The listener does not answer in time, or is not a scheduler.
    """
    from distributed.comm import connect as reach

    address = address if "://" in address else f"tcp://{address}"
    try:
        async with asyncio.timeout(_left_s(until)):
            comm = await reach(address, timeout=_left_s(until))
            try:
                await comm.write({"op": "identity", "reply": True})
                answer = await comm.read()
            finally:
                comm.abort()
    except Exception:  # noqa: BLE001 - Dask raises any kind of error for the answer of another program
        raise OSError("no answer of a scheduler") from None
    kind = answer.get("type") if isinstance(answer, dict) else None
    if kind != "Scheduler":
        raise OSError(f"the answer of {kind or 'another program'}")


def _within(until: float, call: Callable[[], Any]) -> Any:
    """Return what a call returns, because some calls of Dask wait for ever.

    Raises
    ------
    TimeoutError
        The call does not return in time.
    """
    outcome: queue.Queue[Any] = queue.Queue()

    def attempt() -> None:
        try:
            outcome.put((call(), None))
        except Exception as error:  # noqa: BLE001 - raised below, in the thread that waits for it
            outcome.put((None, error))

    threading.Thread(target=attempt, daemon=True).start()
    try:
        result, error = outcome.get(timeout=_left_s(until) + POLL_S)
    except queue.Empty:
        raise TimeoutError("no answer of a scheduler") from None
    if error is not None:
        raise error
    return result


def _knock(host: str, port: int, connect_s: float) -> None:
    """Wait until something listens, because Dask waits for ever at some unreachable addresses."""
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


def count_workers(client: Any) -> int | None:
    """Return the number of workers, or None if the scheduler does not answer."""
    try:
        return len(client.scheduler_info(n_workers=-1)["workers"])
    except Exception:  # noqa: BLE001 - any error means that there was no answer
        return None


def close(client: Any) -> None:
    """Close a client, whether its connection still stands or not."""
    with suppress(Exception):  # the connection may be closed already
        client.close(timeout=2)
