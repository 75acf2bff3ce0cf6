"""The Bitcoin network: difficulty epochs from dated data, subsidy, retarget and expected hashes."""

from __future__ import annotations

import csv
import math
from dataclasses import dataclass
from functools import cache
from importlib import resources
from itertools import pairwise
from typing import Literal

from hardware_profiles.errors import InputError
from kernels.sha256.header import DIFFICULTY_1_TARGET, nbits_to_target, target_to_nbits

SATOSHI_PER_BTC = 100_000_000
HALVING_BLOCKS = 210_000
EPOCH_BLOCKS = 2016
BLOCK_S = 600
EPOCH_S = EPOCH_BLOCKS * BLOCK_S
YEAR_S = 365.25 * 86400.0
EPOCHS_FILE = "difficulty_epochs.csv"


def expected_hashes(target: int) -> float:
    """Mean number of hashes for one block at a target: 2^256 / (target + 1)."""
    return (1 << 256) / (target + 1)


def subsidy_sat(height: int) -> int:
    """Block subsidy [sat] at a height, in integers: 50 BTC halved every 210,000 blocks."""
    if height < 0:
        raise InputError(f"subsidy: height: expected 0 or more, got {height}")
    return (50 * SATOSHI_PER_BTC) >> (height // HALVING_BLOCKS) if height < 64 * HALVING_BLOCKS else 0


def retarget(target: int, first_to_last_s: int) -> int:
    """Next epoch's target, from the seconds between an epoch's first and last block (2015 intervals).

    The time span is clamped to a factor of 4 about two weeks and the result truncated to compact bits, as the
    consensus rule does.
    """
    span = min(max(first_to_last_s, EPOCH_S // 4), EPOCH_S * 4)
    return nbits_to_target(target_to_nbits(min(target * span // EPOCH_S, DIFFICULTY_1_TARGET)))


@dataclass(frozen=True, slots=True)
class Epoch:
    """One difficulty epoch.

    number, start_height: as counted from the genesis block.
    start_unix: [s] UTC; `start_basis` says whether it is the block header's own or reconstructed to minutes.
    hashes_per_block: expected hashes of one block, 2^256 / (target + 1).
    """

    number: int
    start_height: int
    start_unix: int
    hashes_per_block: float
    start_basis: Literal["header", "reconstructed"]


@cache
def bundled_epochs() -> tuple[Epoch, ...]:
    """Difficulty epochs bundled with perwatt, oldest first; compact bits are exact in every row.

    Start times come from block headers up to epoch 436 (January 2025) and are reconstructed to minutes after it.
    """
    text = resources.files("sites.data").joinpath(EPOCHS_FILE).read_text(encoding="utf-8")
    rows = csv.DictReader(line for line in text.splitlines() if not line.startswith("#"))
    return tuple(
        Epoch(
            number=int(row["epoch"]),
            start_height=int(row["start_height"]),
            start_unix=int(row["start_unix"]),
            hashes_per_block=expected_hashes(nbits_to_target(int(row["bits"], 16))),
            start_basis="header" if row["start_time_source"] == "header" else "reconstructed",
        )
        for row in rows
    )


@dataclass(frozen=True, slots=True)
class DifficultyPath:
    """What is assumed about difficulty after the last bundled epoch.

    growth_frac_per_year: 0 holds the last difficulty; 0.10 lets it grow by 10 % a year, stepwise every 2016 blocks.
    points: (time [s, unix], difficulty) in the order of time; each holds from its time on, and grows from there.
    Blocks after the data come every 600 s. Everything that rests on the path is labelled assumed.
    """

    growth_frac_per_year: float = 0.0
    points: tuple[tuple[int, float], ...] = ()

    def __post_init__(self) -> None:
        """Refuse a growth that is no share above -1."""
        if not (math.isfinite(self.growth_frac_per_year) and self.growth_frac_per_year > -1.0):
            raise InputError(
                f"difficulty path: growth: expected a finite share above -1 a year, got {self.growth_frac_per_year!r}"
            )
        for before, after in pairwise(self.points):
            if after[0] <= before[0]:
                raise InputError("difficulty path: points: expected times that rise, got one that does not")
        if not all(math.isfinite(value) and value >= 1.0 for _, value in self.points):
            raise InputError("difficulty path: points: expected difficulties of 1 or more")

    def label(self) -> str:
        """How the path is named beside a figure that rests on it."""
        last = bundled_epochs()[-1]
        kind = (
            "held at that of"
            if self.growth_frac_per_year == 0
            else f"growing {self.growth_frac_per_year:+.1%} a year from"
        )
        if self.points:
            return f"difficulty as given from {len(self.points)} points, after {known_until_utc()}"
        return f"difficulty {kind} epoch {last.number} (height {last.start_height}) after {known_until_utc()}"


HOLD = DifficultyPath()


def known_until_unix() -> int:
    """Time [s] up to which difficulty is data: the last bundled epoch's start plus two weeks."""
    return bundled_epochs()[-1].start_unix + EPOCH_S


def known_until_utc() -> str:
    """Day up to which difficulty is data, ISO."""
    from datetime import UTC, datetime

    return datetime.fromtimestamp(known_until_unix(), tz=UTC).date().isoformat()


@dataclass(frozen=True, slots=True)
class Stretch:
    """A stretch of time in which subsidy and difficulty stand still.

    start_s, end_s: [s] unix. subsidy_sat: [sat] per block. hashes_per_block: expected hashes of a block.
    basis: `header` or `reconstructed` after the start times used, `assumed` on the difficulty path.
    """

    start_s: float
    end_s: float
    subsidy_sat: int
    hashes_per_block: float
    basis: Literal["header", "reconstructed", "assumed"]


def stretches(start_s: float, end_s: float, path: DifficultyPath = HOLD) -> list[Stretch]:
    """Split [start_s, end_s) at difficulty epochs and halvings.

    start_s, end_s: [s] unix. Within an epoch height runs linearly in time, which places a halving within minutes.
    Raises InputError when the interval is empty, or begins before the first block.
    """
    if not (math.isfinite(start_s) and math.isfinite(end_s) and start_s < end_s):
        raise InputError(f"network: interval: expected a start before its end, got {start_s} to {end_s}")
    if start_s < bundled_epochs()[0].start_unix:
        raise InputError("network: interval: expected a start after the first block of 2009-01-03")
    found: list[Stretch] = []
    for epoch, begin, end, basis in _timeline(end_s, path):
        if end <= start_s or begin >= end_s:
            continue
        for part_begin, part_end, height in _split_at_halving(epoch.start_height, begin, end):
            low, high = max(part_begin, start_s), min(part_end, end_s)
            if low < high:
                found.append(Stretch(low, high, subsidy_sat(height), epoch.hashes_per_block, basis))
    return found


def _timeline(
    end_s: float, path: DifficultyPath
) -> list[tuple[Epoch, float, float, Literal["header", "reconstructed", "assumed"]]]:
    epochs = bundled_epochs()
    line: list[tuple[Epoch, float, float, Literal["header", "reconstructed", "assumed"]]] = [
        (a, a.start_unix, b.start_unix, b.start_basis) for a, b in pairwise(epochs)
    ]
    last = epochs[-1]
    line.append((last, last.start_unix, last.start_unix + EPOCH_S, last.start_basis))
    step = (1.0 + path.growth_frac_per_year) ** (EPOCH_S / YEAR_S)
    hashes = last.hashes_per_block
    seen = 0
    count = 1
    while (begin := last.start_unix + count * EPOCH_S) < end_s:
        hashes *= step
        while seen < len(path.points) and path.points[seen][0] <= begin:
            hashes = path.points[seen][1] * expected_hashes(DIFFICULTY_1_TARGET)
            seen += 1
        height = last.start_height + count * EPOCH_BLOCKS
        ahead = Epoch(last.number + count, height, begin, hashes, "reconstructed")
        line.append((ahead, begin, begin + EPOCH_S, "assumed"))
        count += 1
    return line


def _split_at_halving(start_height: int, begin: float, end: float) -> list[tuple[float, float, int]]:
    halving = -(-start_height // HALVING_BLOCKS) * HALVING_BLOCKS
    if not start_height < halving < start_height + EPOCH_BLOCKS:
        return [(begin, end, start_height)]
    at = begin + (end - begin) * (halving - start_height) / EPOCH_BLOCKS
    return [(begin, at, start_height), (at, end, halving)]
