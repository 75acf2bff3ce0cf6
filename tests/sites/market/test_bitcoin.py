"""Difficulty epochs, subsidy and stretches of constant reward."""

import math
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hardware_profiles.errors import InputError
from kernels.sha256.header import DIFFICULTY_1_TARGET, difficulty
from sites.market.bitcoin import (
    EPOCH_S,
    DifficultyPath,
    bundled_epochs,
    expected_hashes,
    known_until_unix,
    stretches,
    subsidy_sat,
)
from sites.market.mining import expected_btc


@pytest.mark.parametrize(
    ("height", "satoshi"),
    [(0, 5_000_000_000), (209_999, 5_000_000_000), (210_000, 2_500_000_000), (840_000, 312_500_000), (64 * 210_000, 0)],
)
def test_the_subsidy_halves_in_whole_satoshis(height, satoshi):
    assert subsidy_sat(height) == satoshi


def test_a_height_below_zero_has_no_subsidy():
    with pytest.raises(InputError, match="height: expected 0 or more, got -1"):
        subsidy_sat(-1)


def test_all_bitcoin_ever_is_the_known_sum():
    assert sum(210_000 * subsidy_sat(210_000 * k) for k in range(64)) == 2_099_999_997_690_000


def test_expected_hashes_are_difficulty_times_2_32_times_65536_over_65535():
    for epoch in bundled_epochs()[::50]:
        implied = epoch.hashes_per_block / 2**32 * 65535 / 65536
        assert expected_hashes(DIFFICULTY_1_TARGET) * implied == pytest.approx(epoch.hashes_per_block, rel=1e-12)
    assert expected_hashes(DIFFICULTY_1_TARGET) == pytest.approx(2**32 * 65536 / 65535, rel=1e-15)
    assert difficulty(DIFFICULTY_1_TARGET) == 1.0


def test_epochs_follow_each_other_every_2016_blocks_and_say_where_their_times_come_from():
    epochs = bundled_epochs()
    assert [epoch.start_height for epoch in epochs] == [2016 * number for number in range(len(epochs))]
    assert all(a.start_unix < b.start_unix for a, b in pairwise(epochs))
    assert {epoch.start_basis for epoch in epochs if epoch.number <= 436} == {"header"}
    assert {epoch.start_basis for epoch in epochs if epoch.number > 436} == {"reconstructed"}


@given(st.integers(1_300_000_000, 1_900_000_000), st.integers(1, 40 * 86_400), st.floats(-0.5, 3.0))
def test_stretches_cover_an_interval_without_gap_or_overlap(start, length, growth):
    parts = stretches(start, start + length, DifficultyPath(growth))
    assert parts[0].start_s == start
    assert parts[-1].end_s == start + length
    assert all(a.end_s == b.start_s for a, b in pairwise(parts))
    assert all(part.start_s < part.end_s and math.isfinite(part.hashes_per_block) for part in parts)


def test_a_halving_inside_an_epoch_splits_it():
    # Block 840,000 of 2024-04-20 00:09 UTC lies two thirds into epoch 416.
    parts = stretches(1_713_484_800, 1_713_657_600)
    change = next(b.start_s for a, b in pairwise(parts) if a.subsidy_sat != b.subsidy_sat)
    assert abs(change - 1_713_571_767) < 4 * 3600


def test_what_comes_after_the_data_is_labelled_assumed_and_follows_its_path():
    end = known_until_unix()
    held = stretches(end - 1000, end + 100 * EPOCH_S)
    assert held[0].basis == "reconstructed"
    assert {part.basis for part in held[1:]} == {"assumed"}
    assert {part.hashes_per_block for part in held} == {bundled_epochs()[-1].hashes_per_block}
    grown = stretches(end - 1000, end + 100 * EPOCH_S, DifficultyPath(0.5))
    years = 99 * EPOCH_S / (365.25 * 86400)
    assert grown[-1].hashes_per_block / grown[0].hashes_per_block == pytest.approx(1.5 ** (years + 1 / 26.09), rel=1e-3)
    assert "held" in DifficultyPath().label()
    assert "growing +50.0% a year" in DifficultyPath(0.5).label()


@pytest.mark.parametrize("growth", [-1.0, math.nan, math.inf])
def test_an_impossible_growth_is_refused(growth):
    with pytest.raises(InputError, match="expected a finite share above -1"):
        DifficultyPath(growth)


@pytest.mark.parametrize(
    ("start", "end"), [(5, 5), (1_700_000_000, 1_600_000_000), (math.nan, 1e9), (0, 1_700_000_000)]
)
def test_an_empty_interval_or_one_before_the_first_block_is_refused(start, end):
    with pytest.raises(InputError, match="network: interval"):
        stretches(start, end)


PER_DIFFICULTY = expected_hashes(DIFFICULTY_1_TARGET)


def test_points_hold_from_their_own_time_on_and_not_from_the_next_epoch_on():
    end = known_until_unix()
    first, second = end + 10 * EPOCH_S + 7_000, end + 20 * EPOCH_S - 3
    path = DifficultyPath(0.0, ((first, 2e14), (second, 1e14)))
    parts = stretches(end, end + 30 * EPOCH_S, path)
    for part in parts:
        value = bundled_epochs()[-1].hashes_per_block
        if part.start_s >= first:
            value = (2e14 if part.start_s < second else 1e14) * PER_DIFFICULTY
        assert part.hashes_per_block == value
    assert {first, second} <= {part.start_s for part in parts}


def test_a_point_replaces_the_data_from_its_time_on():
    epoch = bundled_epochs()[450]
    at = epoch.start_unix + 12_345
    path = DifficultyPath(0.0, ((at, 1.5e14),))
    parts = stretches(epoch.start_unix, epoch.start_unix + 3 * EPOCH_S, path)
    assert [part.basis for part in parts[:2]] == [epoch.start_basis, "assumed"]
    assert (parts[0].end_s, parts[0].hashes_per_block) == (at, epoch.hashes_per_block)
    assert {part.hashes_per_block for part in parts[1:]} == {1.5e14 * PER_DIFFICULTY}
    assert path.assumed_from_unix() == at
    assert path.label() == "difficulty from 1 point of the site file, from 2025-07-26T05:23Z on"


def test_growth_goes_on_from_a_point_at_the_start_of_every_epoch_after_it():
    at = known_until_unix() + EPOCH_S // 4
    parts = stretches(at - 10, at + 4 * EPOCH_S, DifficultyPath(0.5, ((at, 2e14),)))
    later = [part for part in parts if part.start_s >= at]
    assert later[0].hashes_per_block == 2e14 * PER_DIFFICULTY
    for part in later:
        years = (part.start_s - at) / (365.25 * 86_400)
        assert part.hashes_per_block == pytest.approx(2e14 * PER_DIFFICULTY * 1.5**years, rel=1e-12)


@given(st.lists(st.integers(0, 700 * 86_400), min_size=1, max_size=30, unique=True), st.integers(0, 400 * 86_400))
def test_the_integral_over_points_is_the_sum_over_their_days(times, begin):
    origin = 1_767_225_600  # 2026-01-01; the subsidy halves in 2028, after all of it
    points = tuple((origin + at, 1e14 + 1e9 * at) for at in sorted(times))
    start, end = origin + max(begin, min(times)), origin + 701 * 86_400
    edges = [start, *(at for at, _ in points if start < at < end), end]
    total = 0.0
    for low, high in pairwise(edges):
        _, value = max(point for point in points if point[0] <= low)
        total += (high - low) * 3.125 / (value * PER_DIFFICULTY)
    assert expected_btc(1.0, start, end, path=DifficultyPath(0.0, points)) == pytest.approx(total, rel=1e-9)


@pytest.mark.parametrize("points", [((2, 5.0), (1, 5.0)), ((1, 0.5),), ((1, math.inf),)])
def test_points_that_make_no_path_are_refused(points):
    with pytest.raises(InputError, match="difficulty path: points: expected"):
        DifficultyPath(0.0, points)


def test_the_halving_of_2028_is_in_the_assumed_path():
    parts = stretches(1_830_000_000, 1_850_000_000)
    assert [a.subsidy_sat for a, b in pairwise(parts) if a.subsidy_sat != b.subsidy_sat] == [312_500_000]
    assert parts[-1].subsidy_sat == 156_250_000
