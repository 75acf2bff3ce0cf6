"""The Bitcoin network: block subsidy, and the difficulty from dated data and an assumed path after them."""

from __future__ import annotations

import csv
import math
from bisect import bisect_right
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache, lru_cache
from importlib import resources
from itertools import pairwise
from operator import itemgetter
from typing import TYPE_CHECKING, Literal

from hardware_profiles.errors import InputError
from kernels.sha256.header import DIFFICULTY_1_TARGET, nbits_to_target

if TYPE_CHECKING:
    from collections.abc import Iterator

SATOSHI_PER_BTC = 100_000_000
HALVING_BLOCKS = 210_000
EPOCH_BLOCKS = 2016
BLOCK_S = 600
EPOCH_S = EPOCH_BLOCKS * BLOCK_S
YEAR_S = 365.25 * 86400.0
EPOCHS_FILE = "difficulty_epochs.csv"

Basis = Literal["header", "reconstructed", "assumed"]


def expected_hashes(target: int) -> float:
    """Return the mean number of hashes for one block at a target: 2^256 / (target + 1)."""
    return (1 << 256) / (target + 1)


def subsidy_sat(height: int) -> int:
    """Return the block subsidy [sat] at a height: 50 BTC, halved every 210,000 blocks, in integers."""
    if height < 0:
        raise InputError(f"subsidy: height: expected 0 or more, got {height}")
    return (50 * SATOSHI_PER_BTC) >> (height // HALVING_BLOCKS) if height < 64 * HALVING_BLOCKS else 0


@dataclass(frozen=True, slots=True)
class Epoch:
    """A difficulty epoch of 2016 blocks."""

    number: int  # from 0, the epoch of the genesis block
    start_height: int  # height of the first block
    start_unix: int  # [s, unix]
    hashes_per_block: float  # expected: 2^256 / (target + 1)
    start_basis: Literal["header", "reconstructed"]  # from the block header, or reconstructed to minutes


@cache
def bundled_epochs() -> tuple[Epoch, ...]:
    """Return the difficulty epochs bundled with perwatt, oldest first.

    The targets are exact. Start times come from block headers up to epoch 436 (January 2025) and are reconstructed to
    minutes after it.
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


def bundled_difficulty(time_s: float) -> float:
    """Return the bundled difficulty at a time [s, unix], or the last one after the data."""
    epochs = bundled_epochs()
    epoch = next((each for each in reversed(epochs) if each.start_unix <= time_s), epochs[0])
    return epoch.hashes_per_block / expected_hashes(DIFFICULTY_1_TARGET)


@dataclass(frozen=True, slots=True)
class DifficultyPath:
    """The assumed difficulty: of the user's points from each point's time on, else after the last bundled epoch.

    A block takes 600 s after the bundled data.
    """

    growth_frac_per_year: float = 0.0  # applied in steps every 2016 blocks; 0 holds the last difficulty
    points: tuple[tuple[int, float], ...] = ()  # (time [s, unix], difficulty), by time; growth continues from each
    supplied: tuple[Epoch, ...] = ()  # difficulty data of the user's, which come after or replace the bundled epochs

    def __post_init__(self) -> None:
        """Raise InputError for an invalid growth, invalid points, or epochs that leave a gap."""
        if not (math.isfinite(self.growth_frac_per_year) and self.growth_frac_per_year > -1.0):
            raise InputError(
                f"difficulty path: growth: expected a finite share above -1 a year, got {self.growth_frac_per_year!r}"
            )
        for before, after in pairwise(self.points):
            if after[0] <= before[0]:
                raise InputError(
                    f"difficulty path: points: expected increasing times, got {_utc_text(after[0])} after "
                    f"{_utc_text(before[0])}"
                )
        if not all(math.isfinite(value) and value >= 1.0 for _, value in self.points):
            raise InputError("difficulty path: points: expected difficulties of 1 or more")
        due = len(bundled_epochs())
        for epoch in self.supplied:
            if epoch.number > due:
                raise InputError(
                    f"difficulty path: epochs: expected the one of height {due * EPOCH_BLOCKS} without a gap, got "
                    f"height {epoch.start_height}"
                )
            due = max(due, epoch.number + 1)

    def epochs(self) -> tuple[Epoch, ...]:
        """Return the difficulty data, oldest first: the bundled epochs and those that the user supplied."""
        return _with_supplied(self.supplied)

    def label(self) -> str:
        """Return the path in words, for results that depend on it."""
        last = self.epochs()[-1]
        kind = (
            "held at that of"
            if self.growth_frac_per_year == 0
            else f"growing {self.growth_frac_per_year:+.1%} a year from"
        )
        if self.points:
            count = len(self.points)
            points = f"{count} points" if count > 1 else "1 point"
            return f"difficulty from {points} of the site file, from {_utc_text(self.points[0][0])} on"
        return f"difficulty {kind} epoch {last.number} (height {last.start_height}) after {known_until_utc(self)}"

    def assumed_from_unix(self) -> int:
        """Return the time [s, unix] from which difficulty is assumed: the first point, or the end of the data."""
        return min(known_until_unix(self), self.points[0][0]) if self.points else known_until_unix(self)

    def hashes_per_block(self, point: tuple[int, float], epoch_start_s: float) -> float:
        """Return the expected hashes of a block that a point gives in the epoch that starts at a time [s, unix].

        Growth since the point is applied at the start of each epoch after it.
        """
        start_s, value = point
        years = max(epoch_start_s - start_s, 0.0) / YEAR_S
        growth = math.exp(math.log1p(self.growth_frac_per_year) * years)
        return value * expected_hashes(DIFFICULTY_1_TARGET) * growth


HOLD = DifficultyPath()


@lru_cache(maxsize=8)
def _with_supplied(supplied: tuple[Epoch, ...]) -> tuple[Epoch, ...]:
    by_number = {epoch.number: epoch for epoch in (*bundled_epochs(), *supplied)}
    return tuple(by_number[number] for number in sorted(by_number))


def known_until_unix(path: DifficultyPath = HOLD) -> int:
    """Return the time [s, unix] up to which difficulty is data: two weeks after the start of the last epoch."""
    return path.epochs()[-1].start_unix + EPOCH_S


def known_until_utc(path: DifficultyPath = HOLD) -> str:
    """Return the last day up to which difficulty is data, as ISO text."""
    return datetime.fromtimestamp(known_until_unix(path), tz=UTC).date().isoformat()


@dataclass(frozen=True, slots=True)
class Stretch:
    """A stretch of time with constant subsidy and difficulty."""

    start_s: float  # [s, unix]
    end_s: float  # [s, unix]
    subsidy_sat: int  # [sat/block]
    hashes_per_block: float  # expected
    basis: Basis  # of the start time, or `assumed` on the difficulty path and from its first point on


def stretches(start_s: float, end_s: float, path: DifficultyPath = HOLD) -> list[Stretch]:
    """Split an interval at difficulty epochs, halvings and the points of a difficulty path.

    Within an epoch, height is taken as linear in time, which is accurate to minutes for a halving.

    Parameters
    ----------
    start_s, end_s
        The interval [s, unix], without its end.
    path
        Difficulty after the data, and from its points on.

    Raises
    ------
    InputError
        The interval is empty or begins before the first block.
    """
    if not (math.isfinite(start_s) and math.isfinite(end_s) and start_s < end_s):
        raise InputError(f"network: interval: expected a start before its end, got {start_s} to {end_s}")
    if start_s < bundled_epochs()[0].start_unix:
        raise InputError("network: interval: expected a start after the first block of 2009-01-03")
    result: list[Stretch] = []
    for epoch, begin, end, basis in _timeline(end_s, path):
        if end <= start_s or begin >= end_s:
            continue
        for part_begin, part_end, height in _split_at_halving(epoch.start_height, begin, end):
            part = (max(part_begin, start_s), min(part_end, end_s))
            for low, high, point in _split_at_points(*part, path.points):
                if point is None:
                    result.append(Stretch(low, high, subsidy_sat(height), epoch.hashes_per_block, basis))
                else:
                    hashes = path.hashes_per_block(point, epoch.start_unix)
                    result.append(Stretch(low, high, subsidy_sat(height), hashes, "assumed"))
    return result


def _timeline(end_s: float, path: DifficultyPath) -> list[tuple[Epoch, float, float, Basis]]:
    """Return the epochs up to a time without the path's points, each with start and end [s, unix] and basis."""
    epochs = path.epochs()
    line: list[tuple[Epoch, float, float, Basis]] = [
        (epoch, epoch.start_unix, following.start_unix, following.start_basis) for epoch, following in pairwise(epochs)
    ]
    last = epochs[-1]
    line.append((last, last.start_unix, last.start_unix + EPOCH_S, last.start_basis))
    step = (1.0 + path.growth_frac_per_year) ** (EPOCH_S / YEAR_S)
    hashes = last.hashes_per_block
    count = 1
    while (begin := last.start_unix + count * EPOCH_S) < end_s:
        hashes *= step
        height = last.start_height + count * EPOCH_BLOCKS
        epoch = Epoch(last.number + count, height, begin, hashes, "reconstructed")
        line.append((epoch, begin, begin + EPOCH_S, "assumed"))
        count += 1
    return line


def _split_at_halving(start_height: int, begin: float, end: float) -> list[tuple[float, float, int]]:
    halving = -(-start_height // HALVING_BLOCKS) * HALVING_BLOCKS
    if not start_height < halving < start_height + EPOCH_BLOCKS:
        return [(begin, end, start_height)]
    at = begin + (end - begin) * (halving - start_height) / EPOCH_BLOCKS
    return [(begin, at, start_height), (at, end, halving)]


def _split_at_points(
    begin: float, end: float, points: tuple[tuple[int, float], ...]
) -> Iterator[tuple[float, float, tuple[int, float] | None]]:
    """Yield the parts of an interval, each with the point that holds in it; None before the first point."""
    passed = bisect_right(points, begin, key=itemgetter(0))
    while begin < end:
        following = min(points[passed][0], end) if passed < len(points) else end
        yield begin, following, points[passed - 1] if passed else None
        begin, passed = following, passed + 1


def _utc_text(at_s: float) -> str:
    return datetime.fromtimestamp(at_s, tz=UTC).strftime("%Y-%m-%dT%H:%MZ")
