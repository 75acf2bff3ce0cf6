"""A lever for code that waits: each of its calls runs to its end, or is called off before the next one."""

import asyncio
import time
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Self, TypeVar

from bench.levers.protocol import Evidence, Lever, Observation

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Clock:
    """The clock of a sweep; a test has a faster one."""

    now_s: Callable[[], float] = time.time  # [s, Unix]
    sleep: Callable[[float], None] = time.sleep  # [s]


class HeldLever:
    """A lever with an event loop of its own.

    Parameters
    ----------
    lever
        The lever.
    clock
        Its times.
    """

    def __init__(self, lever: Lever, clock: Clock | None = None) -> None:
        self.lever, self.clock = lever, clock or Clock()
        self._runner = asyncio.Runner()

    def __enter__(self) -> Self:
        """Return the lever."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Release what the lever holds."""
        try:
            self.run(self.lever.close())
        finally:
            self._runner.close()

    def observe(self) -> Observation:
        """Look at the device."""
        return self.run(self.lever.observe(self.clock.now_s()))

    def shows(self, level: str) -> tuple[bool, Observation]:
        """Look, and return whether there is fresh evidence that the device is at a level."""
        seen = self.observe()
        return self.lever.confirm(level, seen, self.clock.now_s()) is Evidence.CONFIRMED, seen

    def run(self, call: Coroutine[Any, Any, T]) -> T:
        """Run a call to its end; what Ctrl-C leaves of it is called off, so that no command is sent after a restore."""
        try:
            return self._runner.run(call)
        except BaseException:
            self._runner.run(_call_off())
            raise


async def _call_off() -> None:
    others = asyncio.all_tasks() - {asyncio.current_task()}
    for task in others:
        task.cancel()
    await asyncio.gather(*others, return_exceptions=True)
