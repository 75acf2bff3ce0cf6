"""TCP connections to a host whose name is looked up once, each within a deadline."""

import queue
import socket
import threading
import time
from typing import Any


class HostPort:
    """A host and a port; the first address that answers is the only one that is used afterwards."""

    def __init__(self, host: str, port: int) -> None:
        self.host, self.port = host, port
        self._addresses: list[Any] = []

    @property
    def ip(self) -> str | None:
        """The address in use, or None before the first connection."""
        return str(self._addresses[0][1][0]) if self._addresses else None

    def connect(self, deadline: float) -> socket.socket:
        """Return a connection to the first address that answers; each may take an equal part of the time left.

        Parameters
        ----------
        deadline
            End of look-up and connection [s, monotonic].

        Raises
        ------
        OSError, ValueError
            There is no such host, or no address answers in time.
        """
        self.look_up(deadline)
        fault: OSError = TimeoutError()
        for position, (family, address) in enumerate(self._addresses):
            try:
                return self._connect_to(family, address, left_s(deadline) / (len(self._addresses) - position))
            except OSError as error:
                fault = error
        raise fault

    def look_up(self, deadline: float) -> list[str]:
        """Return the addresses of the host, looked up once; see `connect`."""
        if not self._addresses:
            self._addresses = _look_up(self.host, self.port, deadline)
        return [str(address[0]) for _, address in self._addresses]

    def _connect_to(self, family: int, address: Any, timeout_s: float) -> socket.socket:
        """Return a connection to one address, the only one that is used from now on."""
        connection = socket.socket(family, socket.SOCK_STREAM)
        try:
            connection.settimeout(timeout_s)
            connection.connect(address)
        except OSError:
            connection.close()
            raise
        self._addresses = [(family, address)]
        return connection


def left_s(deadline: float) -> float:
    """Return the time that is left [s].

    Raises
    ------
    TimeoutError
        The deadline has passed.
    """
    left = deadline - time.monotonic()
    if left <= 0.0:
        raise TimeoutError
    return left


def _look_up(host: str, port: int, deadline: float) -> list[Any]:
    """Return the addresses of a host by family, looked up in a thread, because a look-up has no time limit of its own.

    Raises
    ------
    OSError, ValueError
        There is no such host, or no answer before the deadline [s, monotonic].
    """
    answers: queue.SimpleQueue[list[Any] | Exception] = queue.SimpleQueue()

    def ask() -> None:
        try:
            answers.put(socket.getaddrinfo(host, port, type=socket.SOCK_STREAM))
        except (OSError, ValueError) as error:
            answers.put(error)

    threading.Thread(target=ask, name=f"look up {host}", daemon=True).start()
    try:
        answer = answers.get(timeout=left_s(deadline))
    except queue.Empty:
        raise OSError("the name was not found in time") from None
    if isinstance(answer, Exception):
        raise answer
    return [(family, address) for family, _, _, _, address in answer]
