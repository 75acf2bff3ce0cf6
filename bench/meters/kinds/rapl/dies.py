"""The dies of one socket, which have counters of their own or repeat one counter of the whole socket.

Linux lists one RAPL zone per die. On Cascade Lake AP each die counts its own energy. On AMD (Threadripper, EPYC) each
zone shows the same register of the socket, so that a sum would count it once per die.

Notes
-----
The zones of one socket are one counter if two different values were each seen in all of them: equal energies, and equal
increments between. One equal value proves nothing, because counters that stand still may be equal by chance. Two are
proof: the registers have 32 bits and advance every millisecond by amounts that the load decides. Values that were read
just before and just after an update differ in a few snapshots only; counters of their own differ in all of them. While
all values are equal and still, the question is open, and nothing is lost by that: the increments are zero.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from bench.diagnostics import unique
from bench.meters.counters import Unwrapper

PROBE_S = 0.3  # [s] longest time that the counters are watched when the meter opens
PAUSE_S = 0.002  # [s] between two snapshots
DIFFERENT = 10  # unequal snapshots in a row after which the counters are different ones


@dataclass(slots=True)
class ZoneCounter:
    """The energy counter of one zone."""

    title: str
    path: Path
    unwrapper: Unwrapper

    def read_uj(self) -> int:
        """Return the counter [µJ]."""
        return int(self.path.read_text(encoding="ascii"))


def are_one(snapshots: Sequence[Sequence[int]]) -> bool | None:
    """Return whether snapshots of several counters [µJ] show one counter, or None if they cannot tell yet."""
    equal = [values[0] for values in snapshots if len(set(values)) == 1]
    if len(set(equal)) >= 2:
        return True
    last = snapshots[-DIFFERENT:]
    different = len(last) == DIFFERENT and all(len(set(values)) > 1 for values in last)
    return False if different else None


class Dies:
    """The counters of one socket's zones, read as one or summed."""

    def __init__(self, counters: Sequence[ZoneCounter]) -> None:
        self._counters = tuple(counters)
        self._start: list[int] | None = None  # [µJ] the equal and still values, while the question is open
        self.one: bool | None = False if len(self._counters) == 1 else None  # whether all zones are one counter

    def watch(self, clock: Callable[[], float], sleep: Callable[[float], None]) -> None:
        """Watch the counters until it is clear whether they are one, for a limited time."""
        end = clock() + PROBE_S
        snapshots: list[list[int]] = []
        while self.one is None:
            snapshots.append(self._snapshot())
            self.one = are_one(snapshots)
            if self.one is None and clock() >= end:
                self._start = next((values for values in reversed(snapshots) if len(set(values)) == 1), None)
                self.one = None if self._start else False
                return
            sleep(PAUSE_S)

    def add(self, clock: Callable[[], float], sleep: Callable[[float], None]) -> tuple[float, tuple[str, ...]]:
        """Return the joules since the first reading and the codes of the step since the last one.

        Raises
        ------
        OSError, ValueError
            A counter cannot be read.
        """
        values = self._snapshot()
        if self.one is None and values != self._start:
            self._decide(values, sleep)
            values = self._snapshot()
        now_s = clock()
        steps = [counter.unwrapper.add(now_s, value * 1e-6) for counter, value in zip(self._read, values, strict=True)]
        return sum(joules for joules, _ in steps), unique(code for _, codes in steps for code in codes)

    @property
    def scope(self) -> str:
        """Which zones are read, for the record."""
        first, *others = (counter.title for counter in self._counters)
        if not others:
            return first
        if self.one:
            repeats = "repeats" if len(others) == 1 else "repeat"
            return f"{first}; {', '.join(others)} {repeats} it and {'is' if len(others) == 1 else 'are'} not added"
        if self.one is None:
            return f"{first}, {', '.join(others)}, still and equal at the start"
        return " + ".join((first, *others))

    @property
    def _read(self) -> tuple[ZoneCounter, ...]:
        return self._counters[:1] if self.one else self._counters

    def _snapshot(self) -> list[int]:
        return [counter.read_uj() for counter in self._read]

    def _decide(self, values: list[int], sleep: Callable[[float], None]) -> None:
        """Decide at the first movement whether the counters are one: then they are equal between two updates."""
        self.one = len(set(values)) == 1
        for _ in range(DIFFERENT):
            if self.one:
                return
            sleep(PAUSE_S)
            self.one = len(set(self._snapshot())) == 1
