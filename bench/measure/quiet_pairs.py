"""Interleaved pairs of slices on thread CPU time: the test that a claim about a CPU's speed must pass.

Notes
-----
A pair is one slice of A and one of B. A slice is quiet if the core clocks before and after it agree within 3 % and a
probe of independent instructions shows no busy hyperthread neighbour on either side. A verdict needs 50 quiet pairs.
"""

import statistics
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from bench import limits
from bench.machine.clock import core_clock_hz, is_quiet, neighbour_cycles
from bench.measure import stats

SLICE_S = 0.03  # [s] CPU time of one slice
WARM_SLICES = 3


@dataclass(frozen=True, slots=True)
class Slice:
    """One slice of a workload."""

    rate_per_cpu_s: float  # work per second of CPU time
    quiet: bool


@dataclass(frozen=True, slots=True)
class QuietPairs:
    """Interleaved pairs of slices of A and B; ratios are B over A."""

    names: tuple[str, str]
    pairs: tuple[tuple[Slice, Slice], ...]
    probed: bool  # whether this CPU has a probe for neighbours

    @property
    def quiet_pairs(self) -> list[tuple[Slice, Slice]]:
        """The pairs in which both slices were quiet."""
        return [pair for pair in self.pairs if pair[0].quiet and pair[1].quiet]

    def verdict(self) -> stats.Comparison | None:
        """Return ratio, interval and verdict over the quiet pairs, or None if there are too few."""
        quiet = self.quiet_pairs
        if not self.probed or len(quiet) < limits.QUIET_PAIRS:
            return None
        return stats.compare_pairs([b.rate_per_cpu_s / a.rate_per_cpu_s for a, b in quiet])

    def ungated_ratio(self) -> float:
        """Return the median ratio over all pairs."""
        return statistics.median(b.rate_per_cpu_s / a.rate_per_cpu_s for a, b in self.pairs)

    def sentence(self) -> str:
        """Return the result of the pairs as one line for people."""
        a, b = self.names
        comparison = self.verdict()
        counted = f"{len(self.quiet_pairs)} of {len(self.pairs)} interleaved pairs were quiet"
        if comparison is None or comparison.interval is None:
            why = f"{limits.QUIET_PAIRS} are needed" if self.probed else "no probe for neighbours on this CPU"
            return f"not quiet: no verdict ({counted}; {why}); ungated, {b} over {a} is {self.ungated_ratio():.3f}"
        word = {"higher": "faster", "lower": "slower", "same": "same", "cannot_tell": "cannot tell"}[comparison.verdict]
        low, high = comparison.interval
        return f"{b} over {a}: {comparison.ratio:.4f} ({low:.4f} to {high:.4f}) per CPU second, {word}; {counted}"

    def document(self) -> dict[str, Any]:
        """Return the pairs as JSON-ready data."""
        comparison = self.verdict()
        return {
            "names": self.names,
            "pairs": len(self.pairs),
            "quiet_pairs": len(self.quiet_pairs),
            "ratio": comparison.ratio if comparison else None,
            "ratio_interval_95": comparison.interval if comparison else None,
            "verdict": comparison.verdict if comparison else None,
            "reason": None if comparison else "not quiet: no verdict",
            "ungated_ratio": self.ungated_ratio() if self.pairs else None,
        }


def take_pairs(
    names: tuple[str, str],
    slices: Sequence[Callable[[], tuple[float, float]]],
    pairs: int = limits.QUIET_PAIRS,
    most: int | None = None,
    on_progress: Callable[[float], None] = lambda _: None,
) -> QuietPairs:
    """Take pairs of slices, A B A B, until enough of them are quiet.

    Parameters
    ----------
    names
        Names of A and B.
    slices
        Two functions; each does its slice of work once and returns the work and its thread CPU time [s].
    pairs
        Number of quiet pairs to take.
    most
        Largest number of pairs to take in all; twice `pairs` by default.
    on_progress
        Called with the share that is done [-].
    """
    for run_slice in slices:
        for _ in range(WARM_SLICES):
            run_slice()
    limit = most if most is not None else 2 * pairs
    all_pairs: list[tuple[Slice, Slice]] = []
    quiet = 0
    before = _state()
    while len(all_pairs) < limit and quiet < pairs:
        pair = []
        for run_slice in slices:
            work, cpu_s = run_slice()
            after = _state()
            pair.append(Slice(work / cpu_s, is_quiet((before[0], after[0]), (before[1], after[1]))))
            before = after
        all_pairs.append((pair[0], pair[1]))
        quiet += pair[0].quiet and pair[1].quiet
        on_progress(max(quiet / pairs, len(all_pairs) / limit))
    return QuietPairs(names, tuple(all_pairs), probed=before[1] is not None)


def _state() -> tuple[float | None, float | None]:
    """Return the core clock [Hz] and the cycles of the neighbour probe, each None if this CPU has no such probe."""
    clock_hz = core_clock_hz()
    return clock_hz, neighbour_cycles(clock_hz)
