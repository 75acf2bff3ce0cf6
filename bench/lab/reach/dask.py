"""Hosts over their Dask worker: each request is a task that runs on this worker or not at all."""

import io
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from bench.lab.errors import HostError
from bench.lab.host.answer import answer
from bench.lab.reach.protocol import ASK_LIMIT_S, OPEN_LIMIT_S
from bench.lab.run.on_host import bundle_piece


class DaskReach:
    """The way to a host over its Dask worker; it is a channel too, because the scheduler holds the connection.

    Parameters
    ----------
    host
        Name of the host.
    folder
        Where the host keeps jobs.
    client
        A client of the scheduler.
    address
        Address of the worker.
    """

    def __init__(self, host: str, folder: str, client: Any, address: str) -> None:
        self.host = host
        self._folder, self._client, self._address = folder, client, address

    @contextmanager
    def open(self, *, limit_s: float = OPEN_LIMIT_S) -> Iterator["DaskReach"]:  # noqa: ARG002 (nothing is opened)
        """Open a conversation; see `Reach.open`."""
        yield self

    def ask(self, verb: str, request: dict[str, Any] | None = None, *, limit_s: float = ASK_LIMIT_S) -> dict[str, Any]:
        """Return the answer to one request; see `Reach.ask`."""
        said: dict[str, Any] = self._call(answer, verb, self._folder, request or {}, limit_s=limit_s)
        if "refused" in said:
            raise HostError(self.host, str(said["refused"]), str(said.get("detail", "")))
        return said

    @contextmanager
    def fetch(self, job_ids: Sequence[str], *, limit_s: float = ASK_LIMIT_S) -> Iterator["_Pieces"]:
        """Open the bundle of finished jobs; see `Reach.fetch`. One piece at a time is in memory."""
        ids = list(job_ids)
        yield _Pieces(lambda offset: self._call(bundle_piece, self._folder, ids, offset, limit_s=limit_s))

    def _call(self, function: Any, *arguments: Any, limit_s: float) -> Any:
        """Return what a function returns on the worker.

        Raises
        ------
        HostError
            The worker is gone or does not answer in time.
        """
        future = None
        try:
            future = self._client.submit(function, *arguments, **pinned(self._address))
            return future.result(timeout=limit_s)
        except Exception as error:  # noqa: BLE001 - Dask raises any kind of error
            code = "no_answer" if isinstance(error, TimeoutError) else "unreachable"
            raise HostError(self.host, code, f"its Dask worker: {type(error).__name__}") from None
        finally:
            if future is not None:
                future.release()


def pinned(address: str) -> dict[str, Any]:
    """Return the arguments of `Client.submit` for a task that runs once, on one worker, or not at all."""
    return {"workers": [address], "allow_other_workers": False, "retries": 0, "pure": False}


class _Pieces(io.RawIOBase):
    """The bytes of a bundle, piece by piece."""

    def __init__(self, piece: Callable[[int], bytes]) -> None:
        self._piece, self._buffer, self._offset = piece, b"", 0

    def readable(self) -> bool:
        """Return that it can be read."""
        return True

    def read(self, size: int = -1, /) -> bytes:
        """Return up to `size` bytes; none at the end."""
        if not self._buffer:
            self._buffer = self._piece(self._offset)
            self._offset += len(self._buffer)
        size = len(self._buffer) if size < 0 else size
        content, self._buffer = self._buffer[:size], self._buffer[size:]
        return content
