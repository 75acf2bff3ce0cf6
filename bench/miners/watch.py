"""What changes from one poll of a miner to the next: restarts, values that stand still, and the rate in between."""

from dataclasses import dataclass, replace

from bench.miners.implied import ImpliedRate, implied_rate
from bench.miners.record import Counters, MinerReading

FROZEN_POLLS = 3
"""Polls with the same rates, powers and temperatures after which they count as frozen."""


@dataclass(frozen=True, slots=True)
class Change:
    """What one poll shows beside the last one."""

    marks: tuple[str, ...] = ()
    implied: ImpliedRate | None = None  # from the counters since the first poll, or since the last restart
    new_shares: int | None = None  # accepted since the last poll


class Watch:
    """The polls so far; an interval in which the miner restarted counts nothing."""

    def __init__(self) -> None:
        self._first: MinerReading | None = None  # since the last restart
        self._last: MinerReading | None = None
        self._same = 0

    def add(self, reading: MinerReading) -> Change:
        """Return what a poll changes."""
        last, first = self._last, self._first
        self._last = reading
        if last is None or first is None:
            self._first = reading
            return Change()
        marks = []
        if _restarted(last.counters, reading.counters):
            self._first, self._same = reading, 0
            return Change(("restarted: its counters begin anew",))
        if last.counters.elapsed_s is not None and last.counters.elapsed_s == reading.counters.elapsed_s:
            marks.append("frozen: its elapsed time stands still")
        self._same = self._same + 1 if _figures(last) == _figures(reading) else 0
        if self._same >= FROZEN_POLLS - 1:
            marks.append(f"frozen: rates, powers and temperatures are the same in {self._same + 1} polls")
        if last.mode.name != reading.mode.name or last.mode.state != reading.mode.state:
            marks.append(f"mode: {_mode(last)} before, {_mode(reading)} now")
        return Change(
            tuple(marks),
            implied_rate(_difference(first.counters, reading.counters)),
            _difference(last.counters, reading.counters).accepted,
        )


def _restarted(before: Counters, after: Counters) -> bool:
    """Return whether a counter that only rises has fallen."""
    pairs = (
        (before.elapsed_s, after.elapsed_s),
        (before.accepted, after.accepted),
        (before.accepted_difficulty, after.accepted_difficulty),
    )
    return any(old is not None and new is not None and new < old for old, new in pairs)


def _difference(before: Counters, after: Counters) -> Counters:
    def between(old: float | None, new: float | None) -> float | None:
        return None if old is None or new is None else new - old

    shares = between(before.accepted, after.accepted)
    return replace(
        Counters(),
        elapsed_s=between(before.elapsed_s, after.elapsed_s),
        accepted=None if shares is None else int(shares),
        accepted_difficulty=between(before.accepted_difficulty, after.accepted_difficulty),
    )


def _figures(reading: MinerReading) -> tuple[object, ...]:
    """Return what a live machine never shows twice in a row, unless it stands still."""
    return (reading.rates, reading.powers, reading.temperatures)


def _mode(reading: MinerReading) -> str:
    return ", ".join(filter(None, (reading.mode.name, reading.mode.state))) or "not stated"
