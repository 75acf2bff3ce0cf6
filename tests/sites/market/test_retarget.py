"""The rule of the next target, against known cases of the network and against the bundled epochs."""

import csv
from importlib import resources
from itertools import pairwise
from statistics import fmean

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hardware_profiles.errors import InputError
from kernels.sha256.header import nbits_to_target
from sites.market.bitcoin import EPOCH_S, bundled_epochs, expected_hashes
from sites.market.retarget import (
    MAINNET_LIMIT_NBITS,
    EpochData,
    check_against_bundled,
    check_bits,
    check_epochs,
    next_nbits,
)

LAST_BITS = 0x170240C3  # of the last bundled epoch


@pytest.mark.parametrize(
    ("first_s", "last_s", "bits", "expected"),
    [
        (1261130161, 1262152739, 0x1D00FFFF, 0x1D00D86A),  # height 32256, the first change of the network
        (1231006505, 1233061996, 0x1D00FFFF, 0x1D00FFFF),  # the easiest target stays
        (1279008237, 1279297671, 0x1C05A3F4, 0x1C0168FD),  # four times harder at most: height 68544
        (1263163443, 1269211443, 0x1C387F6F, 0x1D00E1FD),  # four times easier at most, with an invented first time
    ],
)
def test_the_rule_gives_the_bits_of_the_cases_that_bitcoin_core_tests(first_s, last_s, bits, expected):
    assert next_nbits(bits, last_s - first_s) == expected


def test_two_of_the_cases_are_the_bundled_epochs_of_their_heights():
    by_height = {epoch.start_height: epoch for epoch in bundled_epochs()}
    for height, bits in ((32256, 0x1D00D86A), (68544, 0x1C0168FD)):
        assert by_height[height].hashes_per_block == expected_hashes(nbits_to_target(bits))


@given(st.integers(-EPOCH_S, 40 * EPOCH_S))
def test_a_target_changes_by_a_factor_of_four_at_most_and_never_rises_when_truncated(span_s):
    before, after = nbits_to_target(LAST_BITS), nbits_to_target(next_nbits(LAST_BITS, span_s))
    exact = before * min(max(span_s, EPOCH_S // 4), EPOCH_S * 4) // EPOCH_S
    assert after <= exact < after + max(after >> 15, 1)


def header_epochs():
    """Return start [s, unix] and bits of the bundled epochs whose start is that of a block header."""
    text = resources.files("sites.data").joinpath("difficulty_epochs.csv").read_text(encoding="utf-8")
    rows = csv.DictReader(text.splitlines())
    return [(int(row["start_unix"]), int(row["bits"], 16)) for row in rows if row["start_time_source"] == "header"]


def test_the_rule_explains_every_change_of_the_real_network_up_to_2025():
    epochs = header_epochs()
    last_intervals_s = []  # from the last block of an epoch to the first of the next one, which the rule leaves out
    for (start_s, bits), (next_s, next_bits) in pairwise(epochs):
        whole_s = next_s - start_s
        easiest, hardest = (nbits_to_target(next_nbits(bits, whole_s - last_s)) for last_s in (-7200, 7200))
        assert hardest <= nbits_to_target(next_bits) <= easiest
        ratio = nbits_to_target(next_bits) / nbits_to_target(bits)
        if next_bits != MAINNET_LIMIT_NBITS and 0.26 < ratio < 3.9:
            last_intervals_s.append(whole_s - ratio * EPOCH_S)
    assert len(epochs) == 437
    assert len(last_intervals_s) == 420
    # The interval that is left out has a mean of 600 s, with a standard error of 600 s over the root of the number.
    assert abs(fmean(last_intervals_s) - 600) < 4 * 600 / len(last_intervals_s) ** 0.5
    assert fmean(last_intervals_s) == pytest.approx(584.5, abs=0.5)


def follow(*spans_s, height=953_568, bits=LAST_BITS, start=1_781_397_386):
    """Return epochs by the rule, each with a time from its first to its last block."""
    epochs = []
    for span_s in spans_s:
        epochs.append(EpochData(height, bits, start, start + span_s))
        height, bits, start = height + 2016, next_nbits(bits, span_s), start + span_s + 550
    return [*epochs, EpochData(height, bits, start, None)]


def test_epochs_by_the_rule_pass():
    epochs = follow(1_150_000, 1_300_000, 9_000_000, 1)
    check_epochs("x", epochs)
    check_against_bundled("x", epochs)


def broken(at, **fields):
    epochs = follow(1_150_000, 1_300_000, 1_100_000)
    return [*epochs[:at], epochs[at]._replace(**fields), *epochs[at + 1 :]]


@pytest.mark.parametrize(
    ("epochs", "message"),
    [
        (broken(1, nbits=0x17024101), r"x: height 955584: bits: expected 17022457 by the rule .* got 17024101"),
        (broken(1, last_unix=None), r"x: height 957599: expected the time of this block"),
        (broken(2, start_unix=1_700_000_000), r"x: height 957600: time: expected one after"),
        (broken(2, height=959_616), r"x: expected height 957600 after 955584, got 959616"),
        (broken(0, height=953_569), r"x: height 953569: expected a multiple of 2016"),
        (broken(0, nbits=0x17F00000), r"x: height 953568: nbits: expected a positive target"),
    ],
)
def test_an_epoch_against_the_rule_is_refused_by_height_with_expected_and_got(epochs, message):
    with pytest.raises(InputError, match=message):
        check_epochs("x", epochs)


def test_epochs_of_another_network_or_after_a_gap_do_not_continue_the_bundled_ones():
    with pytest.raises(
        InputError, match=r"height 953568: difficulty: expected 124932866006548.* \(another network\?\)"
    ):
        check_against_bundled("x", follow(1_150_000, bits=0x17024101))
    with pytest.raises(
        InputError, match=r"expected epochs from height 953568 or lower on, .* got a first height of 955584"
    ):
        check_against_bundled("x", follow(1_150_000)[1:])


def test_a_difficulty_that_its_bits_do_not_state_is_refused():
    assert check_bits("x", LAST_BITS, 124_932_866_006_548.156) == pytest.approx(124_932_866_006_548.16)
    for wrong in (124_933_866_006_548.0, float("nan"), 0.0):
        with pytest.raises(
            InputError, match=r"x: difficulty: expected 124932866006548.* which its bits 170240c3 state"
        ):
            check_bits("x", LAST_BITS, wrong)
