"""Statistics of shares against tables and, over many seeds, against their promises."""

import math

import numpy as np
import pytest

from bench.stratum.difficulty import hashes_of
from bench.stratum.statistics import planning, rate, steadiness, uniformity

SEEDS = 4_000


@pytest.mark.parametrize(
    ("shares", "low", "high"),
    [
        (100, 0.814, 1.216),
        (400, 0.904, 1.103),
        (1_000, 0.939, 1.064),
        (2_500, 0.961, 1.040),
        (10_000, 0.9805, 1.0198),
    ],
)
def test_the_interval_of_a_fixed_window_is_that_of_the_tables(shares, low, high):
    found = rate.fixed_window(shares, 1.0, hashes_of(1.0))
    assert found.rate_h_s == pytest.approx(shares)
    assert found.low_h_s / shares == pytest.approx(low, abs=5e-4)
    assert found.high_h_s / shares == pytest.approx(high, abs=5e-4)


def test_no_share_gives_an_upper_limit_only():
    found = rate.fixed_window(0, 1.0, hashes_of(1.0))
    assert (found.rate_h_s, found.low_h_s) == (0.0, 0.0)
    assert found.high_h_s == pytest.approx(3.6889, abs=1e-4)
    assert found.half_width_frac == math.inf


@pytest.mark.parametrize("mean", [60.0, 300.0, 2_500.0])
def test_the_interval_of_a_fixed_window_covers_the_rate_in_95_percent_of_windows(mean):
    counts = np.random.default_rng(int(mean)).poisson(mean, SEEDS)
    intervals = {int(n): rate.poisson_interval(int(n)) for n in set(counts)}
    covered = np.mean([intervals[int(n)][0] <= mean <= intervals[int(n)][1] for n in counts])
    assert 0.93 <= covered <= 0.97


@pytest.mark.parametrize("shares", [10, 200, 2_500])
def test_the_interval_of_a_fixed_number_covers_the_rate_in_95_percent_of_windows_without_bias(shares):
    seconds = np.random.default_rng(shares).gamma(shares, 1.0, SEEDS)  # at one share a second
    found = [rate.fixed_count(shares, 1.0, second) for second in seconds]
    unit = hashes_of(1.0)
    assert 0.93 <= np.mean([one.low_h_s <= unit <= one.high_h_s for one in found]) <= 0.97
    assert np.mean([one.rate_h_s for one in found]) / unit == pytest.approx(1.0, abs=4.0 / math.sqrt(shares * SEEDS))


def test_one_difficulty_is_the_special_case_of_mixed_ones():
    mixed = rate.mixed_difficulty([64.0] * 321, 100.0)
    plain = rate.fixed_window(321, 64.0, 100.0)
    assert (mixed.low_h_s, mixed.rate_h_s, mixed.high_h_s) == pytest.approx(
        (plain.low_h_s, plain.rate_h_s, plain.high_h_s), rel=1e-12
    )
    assert rate.mixed_difficulty([], 100.0, 64.0).high_h_s == pytest.approx(
        rate.fixed_window(0, 64.0, 100.0).high_h_s, rel=1e-12
    )


def test_the_interval_of_mixed_difficulties_covers_the_rate_at_least_as_often_as_it_says():
    dice, covered = np.random.default_rng(5), 0
    for _ in range(SEEDS):
        parts = [
            np.full(dice.poisson(mean), difficulty) for mean, difficulty in ((200, 64.0), (100, 128.0), (40, 320.0))
        ]
        found = rate.mixed_difficulty(np.concatenate(parts), 1.0)
        covered += found.low_h_s <= hashes_of(200 * 64.0 + 100 * 128.0 + 40 * 320.0) <= found.high_h_s
    assert 0.94 <= covered / SEEDS <= 0.975


@pytest.mark.parametrize(
    ("count", "total", "low", "high"),
    [(0, 10, 0.0, 0.3085), (10, 10, 0.6915, 1.0), (5, 50, 0.0333, 0.2181), (0, 0, 0.0, 1.0)],
)
def test_the_interval_of_a_fraction_is_that_of_the_tables(count, total, low, high):
    assert rate.binomial_interval(count, total) == pytest.approx((low, high), abs=5e-5)


@pytest.mark.parametrize(
    "call",
    [
        lambda: rate.binomial_interval(3, 2),
        lambda: rate.fixed_window(-1, 1.0, 1.0),
        lambda: rate.fixed_window(1, 1.0, 0.0),
        lambda: rate.fixed_window(1, 1.0, math.nan),
        lambda: rate.fixed_count(1, 1.0, 1.0),
        lambda: rate.mixed_difficulty([], 1.0),
        lambda: planning.shares_for(0.0),
        lambda: planning.seconds_for(0.01, 1.0, 0.0),
        lambda: planning.choose_difficulty(0.0),
        lambda: steadiness.dispersion([], 0.0, 1.0, 1),
        lambda: steadiness.halves([], 1.0, 1.0),
        lambda: steadiness.gaps([], 1.0, 0.0),
        lambda: uniformity.uniformity([0.5, 1.5]),
    ],
)
def test_what_has_no_answer_is_a_value_error(call):
    with pytest.raises(ValueError, match=r"expected|needed|is from"):
        call()


@pytest.mark.parametrize("shares", [20, 200, 3_000])
def test_honest_shares_raise_a_false_alarm_in_at_most_one_percent_of_windows(shares):
    draws = np.random.default_rng(shares).random((SEEDS, shares))
    alarms = sum(not uniformity.uniformity(row).uniform for row in draws)
    # 1 % and two standard deviations of this many windows
    assert alarms <= 0.01 * SEEDS + 2.0 * math.sqrt(0.01 * SEEDS)
    assert alarms > 0


@pytest.mark.parametrize("shares", [30, 200])
@pytest.mark.parametrize("mask", [2.0, 1.5, 256.0])
def test_a_ticket_mask_is_noticed_within_200_shares_and_its_factor_is_estimated(shares, mask):
    draws = np.random.default_rng(int(mask * shares)).random((2_000, shares)) / mask
    found = [uniformity.uniformity(row) for row in draws]
    assert np.mean([not one.uniform for one in found]) >= 0.99
    assert np.mean([one.difficulty_factor for one in found]) == pytest.approx(mask, rel=0.15 / shares)
    inside = np.mean([one.difficulty_factor_low <= mask <= one.difficulty_factor_high for one in found])
    assert 0.93 <= inside <= 0.97


def test_a_mask_on_half_of_the_chips_is_noticed():
    dice = np.random.default_rng(3)
    found = [uniformity.uniformity(np.append(dice.random(200), dice.random(200) / 2.0)) for _ in range(500)]
    assert np.mean([not one.uniform for one in found]) >= 0.95


def test_without_shares_nothing_is_claimed():
    found = uniformity.uniformity([])
    assert found.uniform
    assert (found.difficulty_factor_low, found.difficulty_factor_high) == (1.0, math.inf)


def arrivals(dice, mean, seconds=600.0):
    return np.sort(dice.random(dice.poisson(mean))) * seconds


def test_dispersion_halves_and_gaps_keep_their_false_alarm_rates_over_seeds():
    dice = np.random.default_rng(11)
    streams = [arrivals(dice, 1_000) for _ in range(SEEDS)]
    spreads = [steadiness.dispersion(times, 0.0, 600.0) for times in streams]
    assert np.mean([one.over_p < 0.05 for one in spreads]) == pytest.approx(0.05, abs=0.015)
    assert np.mean([one.under_p < 0.05 for one in spreads]) == pytest.approx(0.05, abs=0.015)
    assert np.mean([one.index for one in spreads]) == pytest.approx(1.0, abs=0.03)
    assert 0.03 <= np.mean([steadiness.halves(times, 0.0, 600.0).p < 0.05 for times in streams]) <= 0.055
    assert np.mean([steadiness.gaps(times, 0.0, 600.0).total_s > 0.0 for times in streams]) <= 0.003


@pytest.mark.parametrize(
    ("first", "second", "p"), [(3, 0, 0.25), (0, 3, 0.25), (2, 1, 1.0), (5, 1, 0.21875), (4, 4, 1.0)]
)
def test_the_halves_of_few_shares_have_their_exact_probability(first, second, p):
    assert steadiness.halves([0.1] * first + [0.9] * second, 0.0, 1.0).p == pytest.approx(p)


def test_a_miner_that_slows_down_is_noticed():
    dice = np.random.default_rng(12)
    for _ in range(20):
        times = np.append(arrivals(dice, 1_200, 300.0), 300.0 + arrivals(dice, 800, 300.0))
        assert steadiness.halves(times, 0.0, 600.0).p < 1e-6
        assert steadiness.halves(times, 0.0, 600.0).change_frac == pytest.approx(-0.4, abs=0.15)
        assert steadiness.dispersion(times, 0.0, 600.0).over_p < 1e-4


def test_shares_at_regular_times_are_less_spread_than_chance():
    assert steadiness.dispersion(np.arange(0.5, 600.0, 1.0), 0.0, 600.0).under_p < 1e-6


def test_a_disconnection_is_a_gap_with_its_length():
    times = arrivals(np.random.default_rng(13), 1_000)
    times = times[(times < 200.0) | (times > 260.0)]
    found = steadiness.gaps(times, 0.0, 600.0)
    ((start, end),) = found.spans
    assert start == pytest.approx(200.0, abs=5.0)
    assert end == pytest.approx(260.0, abs=5.0)
    assert found.total_s == found.longest_s == pytest.approx(end - start)
    assert found.longest_p < 1e-6


def test_a_window_without_shares_is_one_gap():
    found = steadiness.gaps([], 0.0, 60.0)
    assert (found.longest_s, found.total_s, found.longest_p) == (60.0, 60.0, 1.0)
    assert steadiness.halves([], 0.0, 60.0).p == 1.0
    assert steadiness.dispersion([], 0.0, 60.0).index == 1.0


def test_shares_outside_the_window_do_not_count():
    assert steadiness.halves([-1.0, 0.0, 1.0, 5.0, 10.0], 0.0, 10.0).first == 2
    assert sum(steadiness.dispersion([-1.0, 0.0, 1.0, 5.0, 10.0], 0.0, 10.0, 2).counts) == 3


def test_the_shares_for_an_error_are_the_fewest():
    assert planning.shares_for(0.01) == pytest.approx(38_400, rel=0.005)
    for error in (0.5, 0.1, 0.025, 0.01):
        shares = planning.shares_for(error)
        low, high = rate.poisson_interval(shares)
        assert (high - low) / 2.0 <= error * shares
        low, high = rate.poisson_interval(shares - 1)
        assert (high - low) / 2.0 > error * (shares - 1)


def test_seconds_follow_from_difficulty_and_rate():
    # 200 TH/s at difficulty 4096: 11.4 shares a second
    assert planning.seconds_for(0.01, 4096.0, 200e12) == pytest.approx(38_400 / 11.37, rel=0.01)


@pytest.mark.parametrize(
    ("rate_h_s", "mask", "difficulty"),
    [
        (200e12, 1.0, 4096.0),
        (90e12, 256.0, 2048.0),
        (1.2e12, 256.0, 256.0),
        (10e6, 2.0**-30, 2.0**-13),
        (1e3, 1.0, 1.0),
    ],
)
def test_the_difficulty_is_a_power_of_two_with_5_to_20_shares_a_second_unless_the_mask_forbids(
    rate_h_s, mask, difficulty
):
    found = planning.choose_difficulty(rate_h_s, mask)
    assert found.difficulty == difficulty
    assert found.shares_s == pytest.approx(rate_h_s / hashes_of(difficulty))
    assert found.shares_s <= 20.0
    assert found.shares_s >= 5.0 or difficulty == mask
