"""What every source of inputs does: look when it is due, and say what it knows and what is wrong with it."""

from dataclasses import dataclass
from typing import Protocol

from sites.control.model import LoadTarget, Price


@dataclass(frozen=True, slots=True)
class Known:
    """What a source knows at a moment."""

    prices: tuple[Price, ...] = ()
    targets: tuple[LoadTarget, ...] = ()
    faults: tuple[str, ...] = ()  # one line each
    lost: bool = False  # whether a source of targets is silent for longer than its limit


class Source(Protocol):
    """A source of prices or of targets. No method waits for the source, and none raises."""

    def known(self, now_s: float) -> Known:
        """Return what is known at a time [s, Unix], and start the next look if it is due."""
        ...

    def wait(self, timeout_s: float) -> bool:
        """Wait until no look is under way [s, real time]; return whether that is so."""
        ...

    def close(self) -> None:
        """Release what the source holds."""
        ...
