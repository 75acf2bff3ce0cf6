"""The limits that keep a hostile client's cost bounded."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Limits:
    """The resources that one client, and all of them together, may use."""

    line_bytes: int = 16_384  # longest line
    connections: int = 2_048  # at one time; fewer if the process may open fewer files
    messages_s: float = 1_000.0  # [1/s] messages of one connection; a KiB of a line counts as one more
    burst_messages: float = 2_000.0  # that may come at once
    malformed_lines: int = 10  # that are no request, before the connection is closed
    subscribe_s: float = 30.0  # [s] until a worker has subscribed and is authorized
    half_line_s: float = 30.0  # [s] until a line that was begun has ended
    unsent_bytes: int = 262_144  # answers that a client does not read
    workers: int = 64  # authorized names of one connection


class Allowance:
    """A number of messages that refills at a constant rate.

    Parameters
    ----------
    rate_s
        Messages that come back each second [1/s].
    burst
        Largest number.
    now_s
        The present [s, monotonic].
    """

    __slots__ = ("_at_s", "_burst", "_left", "_rate_s")

    def __init__(self, rate_s: float, burst: float, now_s: float) -> None:
        self._rate_s, self._burst = rate_s, burst
        self._left, self._at_s = burst, now_s

    def take(self, cost: float, now_s: float) -> bool:
        """Subtract a cost, and return whether the allowance covered it."""
        self._left = min(self._burst, self._left + (now_s - self._at_s) * self._rate_s) - cost
        self._at_s = now_s
        return self._left >= 0.0
