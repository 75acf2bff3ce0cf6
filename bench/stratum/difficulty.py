"""Difficulty of a share: its target, and the hashes that it stands for."""

import math
from fractions import Fraction

from hardware_profiles.errors import InputError
from kernels.sha256.header import DIFFICULTY_1_TARGET, MAX_TARGET

HASHES_PER_DIFFICULTY_1 = 2.0**48 / 65535.0  # [hash] mean number for one share of difficulty 1: 2^256 / (0xffff·2^208)


def check_difficulty(difficulty: float, place: str = "difficulty") -> float:
    """Return the difficulty unchanged.

    Parameters
    ----------
    difficulty
        Difficulty [-]; a fraction is easy enough for one core of a CPU.
    place
        Option or key, for messages.

    Raises
    ------
    InputError
        It is not a number above 0, or its target is outside 1 to 2^256 - 1.
    """
    is_number = isinstance(difficulty, int | float) and not isinstance(difficulty, bool) and math.isfinite(difficulty)
    if not is_number or difficulty <= 0 or not 1 <= Fraction(DIFFICULTY_1_TARGET) / Fraction(difficulty) <= MAX_TARGET:
        raise InputError.at(place, expected="a difficulty from 2.4e-10 to 2.6e+67", got=difficulty)
    return difficulty


def target_of(difficulty: float) -> int:
    """Return the target of a difficulty: the target of difficulty 1, 0xffff·2^208, divided by it and rounded down.

    Raises
    ------
    InputError
        The difficulty has no target.
    """
    return int(Fraction(DIFFICULTY_1_TARGET) / Fraction(check_difficulty(difficulty)))


def share_difficulty(hash_value: int) -> float:
    """Return the difficulty [-] that a hash, read as a little-endian integer, would just meet; infinite for 0."""
    return DIFFICULTY_1_TARGET / hash_value if hash_value else math.inf


def hashes_of(difficulty: float, shares: float = 1.0) -> float:
    """Return the mean number of hashes [hash] behind `shares` shares of a difficulty."""
    return shares * difficulty * HASHES_PER_DIFFICULTY_1
