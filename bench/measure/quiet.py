"""Interleaved pairs on thread CPU time, with the clock and the neighbours watched: when a CPU's speed may be claimed.

Notes
-----
A pair is one slice of A and one of B. A slice is quiet where the clock read before and after it agrees within 3 % and a
probe of independent instructions shows no hyperthread neighbour on either side. A verdict takes 50 quiet pairs.
"""

import statistics
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from bench.machine.clock import LONE_CYCLES_LIMIT, core_clock_hz, neighbour_cycles
from bench.measure import stats

MIN_PAIRS = 50
CLOCK_AGREES_FRAC = 0.03
SLICE_S = 0.03
WARM_SLICES = 3


@dataclass(frozen=True, slots=True)
class Slice:
    """One slice: work per second of CPU time, and whether it was quiet."""

    rate_per_cpu_s: float
    quiet: bool


@dataclass(frozen=True, slots=True)
class Quiet:
    """Pairs of slices and what follows from them; the ratio is B over A."""

    names: tuple[str, str]
    pairs: tuple[tuple[Slice, Slice], ...]
    probed: bool

    @property
    def quiet_pairs(self) -> list[tuple[Slice, Slice]]:
        """The pairs in which both slices were quiet."""
        return [pair for pair in self.pairs if pair[0].quiet and pair[1].quiet]

    def verdict(self) -> stats.Comparison | None:
        """Return ratio, interval and verdict over the quiet pairs, or None where there are fewer than 50."""
        quiet = self.quiet_pairs
        if not self.probed or len(quiet) < MIN_PAIRS:
            return None
        return stats.compare_pairs([b.rate_per_cpu_s / a.rate_per_cpu_s for a, b in quiet])

    def ungated_ratio(self) -> float:
        """Return the median ratio over all pairs."""
        return statistics.median(b.rate_per_cpu_s / a.rate_per_cpu_s for a, b in self.pairs)

    def sentence(self) -> str:
        """Return what the pairs say, as one line for people."""
        a, b = self.names
        found = self.verdict()
        counted = f"{len(self.quiet_pairs)} of {len(self.pairs)} interleaved pairs were quiet"
        if found is None or found.interval is None:
            why = "" if self.probed else ", no probe for neighbours on this CPU"
            return f"not quiet: no verdict ({counted}{why}); ungated, {b} over {a} is {self.ungated_ratio():.3f}"
        word = {"higher": "faster", "lower": "slower", "same": "same", "cannot_tell": "cannot tell"}[found.verdict]
        low, high = found.interval
        return f"{b} over {a}: {found.ratio:.4f} ({low:.4f} to {high:.4f}) per CPU second, {word}; {counted}"

    def document(self) -> dict[str, Any]:
        """Return the pairs as JSON-ready data."""
        found = self.verdict()
        return {
            "names": self.names,
            "pairs": len(self.pairs),
            "quiet_pairs": len(self.quiet_pairs),
            "ratio": found.ratio if found else None,
            "ratio_interval_95": found.interval if found else None,
            "verdict": found.verdict if found else None,
            "reason": None if found else "not quiet: no verdict",
            "ungated_ratio": self.ungated_ratio() if self.pairs else None,
        }


def take_pairs(
    names: tuple[str, str],
    slices: Sequence[Callable[[], tuple[float, float]]],
    pairs: int = MIN_PAIRS,
    most: int | None = None,
    on_progress: Callable[[float], None] = lambda _: None,
) -> Quiet:
    """Take pairs of slices, A B A B, until `pairs` of them were quiet or `most` were taken (twice as many).

    Each of `slices` does its work once and returns the work and its thread CPU time [s].
    """
    for one in slices:
        for _ in range(WARM_SLICES):
            one()
    limit = most if most is not None else 2 * pairs
    taken: list[tuple[Slice, Slice]] = []
    quiet = 0
    before = _state()
    while len(taken) < limit and quiet < pairs:
        found = []
        for one in slices:
            work, cpu_s = one()
            after = _state()
            found.append(Slice(work / cpu_s, _is_quiet(before, after)))
            before = after
        taken.append((found[0], found[1]))
        quiet += found[0].quiet and found[1].quiet
        on_progress(max(quiet / pairs, len(taken) / limit))
    return Quiet(names, tuple(taken), probed=before[1] is not None)


def _state() -> tuple[float | None, float | None]:
    """Return the clock [Hz] and the cycles that the neighbour probe takes, None where this CPU has none."""
    clock_hz = core_clock_hz()
    return clock_hz, neighbour_cycles(clock_hz)


def _is_quiet(before: tuple[float | None, float | None], after: tuple[float | None, float | None]) -> bool:
    if None in (*before, *after):
        return False
    clocks = (before[0] or 0.0, after[0] or 0.0)
    probes = (before[1] or 0.0, after[1] or 0.0)
    return max(clocks) <= (1.0 + CLOCK_AGREES_FRAC) * min(clocks) and max(probes) <= LONE_CYCLES_LIMIT
