"""Difficulty and target against their definitions."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.stratum import difficulty
from hardware_profiles.errors import InputError
from kernels.sha256.header import DIFFICULTY_1_TARGET, nbits_to_target
from kernels.sha256.header import difficulty as difficulty_of_target


def test_a_share_of_difficulty_1_stands_for_2_to_48_over_65535_hashes():
    assert math.isclose(difficulty.HASHES_PER_DIFFICULTY_1, 4_295_032_833.000015, rel_tol=1e-15)
    assert math.isclose(difficulty.HASHES_PER_DIFFICULTY_1, 2.0**256 / DIFFICULTY_1_TARGET, rel_tol=1e-15)
    assert difficulty.hashes_of(1024, 10) == 10_240 * difficulty.HASHES_PER_DIFFICULTY_1


def test_difficulty_1_has_the_target_of_the_first_block():
    assert difficulty.target_of(1) == nbits_to_target(0x1D00FFFF) == DIFFICULTY_1_TARGET
    assert difficulty.target_of(2) == DIFFICULTY_1_TARGET // 2
    assert difficulty.target_of(0.5) == DIFFICULTY_1_TARGET * 2


@given(st.floats(1e-9, 1e50))
def test_a_target_has_the_difficulty_that_it_was_made_from(value):
    target = difficulty.target_of(value)
    assert difficulty_of_target(target) == pytest.approx(value, rel=1e-9)
    assert difficulty.share_difficulty(target) >= value * (1 - 1e-15)


@pytest.mark.parametrize("value", [0, -1, math.nan, math.inf, 1e-10, 1e68, "8", True, None])
def test_what_has_no_target_is_refused(value):
    with pytest.raises(InputError, match="expected a difficulty from"):
        difficulty.target_of(value)


def test_a_hash_of_zero_meets_every_difficulty():
    assert difficulty.share_difficulty(0) == math.inf
