"""The clock of the controller: that of this machine, or the simulated one of a twin."""

import asyncio
import time
from typing import Protocol


class Clock(Protocol):
    """A clock that the controller reads and sleeps by."""

    async def now_s(self) -> float:
        """Return the time [s, Unix]."""
        ...

    async def sleep_until(self, at_s: float) -> None:
        """Return when the clock shows a time [s, Unix], or has passed it."""
        ...


class WallClock:
    """The clock of this machine."""

    async def now_s(self) -> float:
        """Return the time [s, Unix]."""
        return time.time()

    async def sleep_until(self, at_s: float) -> None:
        """Return when the clock shows a time [s, Unix]; a clock that is set back lengthens the wait by a tick."""
        while (rest_s := at_s - time.time()) > 0.0:
            await asyncio.sleep(min(rest_s, 1.0))
