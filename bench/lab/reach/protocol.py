"""What every way to a host can do."""

from collections.abc import Sequence
from contextlib import AbstractContextManager
from typing import Any, Protocol

ASK_LIMIT_S = 60.0  # [s] an answer may take, unless the caller says otherwise
OPEN_LIMIT_S = 30.0  # [s] from the first packet to a host that answers


class Channel(Protocol):
    """An open conversation with a host: many requests over one connection."""

    def ask(self, verb: str, request: dict[str, Any] | None = None, *, limit_s: float = ASK_LIMIT_S) -> dict[str, Any]:
        """Return the answer to one request.

        Parameters
        ----------
        verb
            One of bench.lab.host.answer.VERBS.
        request
            What the verb needs.
        limit_s
            Time that the answer may take [s].

        Raises
        ------
        HostError
            The host refuses it, does not answer in time, or the connection is lost; what was asked may have happened.
        """
        ...


class ByteStream(Protocol):
    """Bytes that come from a host."""

    def read(self, size: int, /) -> bytes:
        """Return up to `size` bytes; none at the end."""
        ...


class Reach(Protocol):
    """A way to one host."""

    @property
    def host(self) -> str:
        """Name of the host."""
        ...

    def open(self, *, limit_s: float = OPEN_LIMIT_S) -> AbstractContextManager[Channel]:
        """Open a conversation.

        Raises
        ------
        HostError
            The host cannot be reached.
        """
        ...

    def ask(self, verb: str, request: dict[str, Any] | None = None, *, limit_s: float = ASK_LIMIT_S) -> dict[str, Any]:
        """Return the answer to one request over a connection of its own; see `Channel.ask`."""
        ...

    def fetch(self, job_ids: Sequence[str], *, limit_s: float = ASK_LIMIT_S) -> AbstractContextManager[ByteStream]:
        """Open the bundle of finished jobs, a tar; nothing of it may be trusted.

        Parameters
        ----------
        job_ids
            The jobs, in the order in which they come.
        limit_s
            Time without a byte after which the connection counts as lost [s].

        Raises
        ------
        HostError
            The host cannot be reached; also from the stream, if the connection is lost.
        """
        ...
