"""The protocol of an audit, which watches a device during the windows (method rules 11, 16 and 17)."""

from typing import Protocol

from bench.results.record import Reason


class Audit(Protocol):
    """A watch over one device from the first window to the last."""

    def start(self) -> None:
        """Record the state before the first window."""

    def window(self, start_s: float, end_s: float) -> None:
        """Add a window [s, monotonic] to the audited time."""

    def finish(self) -> tuple[dict[str, object], list[Reason]]:
        """Return the data to store and the codes of what went wrong."""
