"""The loop is closed: the hashes that the CPU counts and the rate that its verified shares give are the same."""

import pytest
from scipy.special import bdtrc

from bench.stratum.difficulty import hashes_of
from bench.stratum.simulator.personality import Personality
from bench.stratum.statistics.rate import fixed_window
from bench.stratum.statistics.uniformity import uniformity
from bench.stratum.verify import ShareClass

pytestmark = pytest.mark.slow

SEEDS = 200
EASY = 2.0**-24  # a share every 256 hashes
SHARES = 200


def test_the_interval_covers_the_counted_hashes_in_93_to_97_percent_of_runs(mine):
    """200 seeds alone leave ± 3 points to chance, so each seed gives ten runs of about 64 shares."""
    covered = []
    for seed in range(SEEDS):
        mined = mine(seed, EASY, slices=10, nonces=1 << 14)
        assert set(mined.classes) == {ShareClass.VALID}
        for hashes, shares in mined.by_slice:
            estimate = fixed_window(shares, EASY, window_s=1.0)
            covered.append(estimate.low_h_s <= hashes <= estimate.high_h_s)
    assert 0.93 <= sum(covered) / len(covered) <= 0.97


def test_all_runs_together_give_the_count_within_their_own_interval(mine):
    hashes = shares = 0
    for seed in range(20):
        mined = mine(seed, EASY, slices=8)
        hashes, shares = hashes + mined.hashes, shares + mined.classes[ShareClass.VALID]
    estimate = fixed_window(shares, EASY, window_s=1.0)
    assert estimate.half_width_frac < 0.01
    assert estimate.low_h_s <= hashes <= estimate.high_h_s


def test_a_ticket_mask_of_2_is_noticed_within_200_shares(mine):
    noticed = 0
    for seed in range(100):
        fractions = mine(seed, EASY, slices=2, personality=Personality(ticket_mask=2.0 * EASY)).fractions
        assert len(fractions) >= SHARES
        noticed += not uniformity(fractions[:SHARES]).uniform
    assert noticed >= 99


def test_shares_of_an_honest_miner_alarm_no_more_than_one_percent_allows(mine):
    alarms, tried = 0, 0
    for seed in range(100):
        fractions = mine(seed, EASY, slices=4).fractions
        for start in range(0, len(fractions) - SHARES + 1, SHARES):
            tried += 1
            alarms += not uniformity(fractions[start : start + SHARES]).uniform
    assert tried >= 400
    assert bdtrc(alarms - 1, tried, 0.01) > 0.001


def test_a_difficulty_rounded_up_halves_the_shares_and_is_noticed(mine):
    hashes, classes, fractions, _ = mine(1, 1.01 * EASY, slices=4, personality=Personality(rounding="up"))
    seen = uniformity(fractions)
    assert not seen.uniform
    assert seen.difficulty_factor == pytest.approx(2.0 / 1.01, rel=0.02)
    assert classes[ShareClass.VALID] == pytest.approx(hashes / hashes_of(2.0 * EASY), rel=0.15)


def test_a_difficulty_rounded_down_is_refused_and_what_is_left_gives_the_rate(mine):
    hashes, classes, fractions, _ = mine(2, 1.5 * EASY, slices=8, personality=Personality(rounding="down"))
    assert classes[ShareClass.LOW_DIFFICULTY] == pytest.approx(classes[ShareClass.VALID] / 2.0, rel=0.2)
    assert uniformity(fractions).uniform
    estimate = fixed_window(classes[ShareClass.VALID], 1.5 * EASY, 1.0)
    assert estimate.low_h_s <= hashes <= estimate.high_h_s
