"""Figures that contradict each other become warnings; figures that agree do not."""

import numpy as np
import pytest

from bench.miners.implied import implied_rate
from bench.miners.parsing.contradictions import with_contradictions
from bench.miners.parsing.windows import unfilled
from bench.miners.record import (
    Board,
    Counters,
    Identity,
    MinerReading,
    Mode,
    Pool,
    PowerReading,
    RateReading,
)
from bench.stratum.difficulty import HASHES_PER_DIFFICULTY_1 as HASHES_PER_DIFFICULTY


def rate(h_s, averaging="since_restart", window_s=None, basis="nonces", key="summary: MHS av"):
    return RateReading(h_s, averaging, window_s, basis, key, "")


def power(w, kind="ac_in_psu"):
    return PowerReading(w, kind, "stats: Power", "")


def reading(**parts):
    return with_contradictions(MinerReading(Identity("test"), **parts))


def test_a_share_of_difficulty_1_takes_as_many_hashes_as_its_target_implies():
    assert pytest.approx(2**256 / (65535 * 2**208), rel=1e-15) == HASHES_PER_DIFFICULTY
    assert pytest.approx(4_295_032_833.000015, abs=1e-5) == HASHES_PER_DIFFICULTY


def test_the_implied_rate_is_difficulty_times_hashes_over_time():
    implied = implied_rate(Counters(elapsed_s=3453.0, accepted=1480, accepted_difficulty=42_323_968.0))
    assert implied.rate_h_s == pytest.approx(52.65e12, rel=1e-3)
    assert implied.half_width_frac == pytest.approx(1.96 / 1480**0.5, rel=0.01)
    assert implied.low_h_s < implied.rate_h_s < implied.high_h_s


@pytest.mark.parametrize(
    ("accepted", "difficulty", "elapsed_s", "displayed_th_s", "implied_th_s", "ratio", "sigma"),
    [
        (4057, 1_305_083_904.0, 50_474.0, 111.83, 111.06, 0.993, 0.016),  # Antminer S19 Pro
        (2338, 158_334_976.0, 10_154.0, 67.75, 66.97, 0.989, 0.021),  # Whatsminer, API 1.4
        (890, 368_550_176.0, 37_714.0, 44.54, 41.97, 0.942, 0.034),  # Avalon Q
    ],
)
def test_the_counters_of_public_captures_imply_known_rates(  # noqa: PLR0917
    accepted, difficulty, elapsed_s, displayed_th_s, implied_th_s, ratio, sigma
):
    implied = implied_rate(Counters(elapsed_s=elapsed_s, accepted=accepted, accepted_difficulty=difficulty))
    assert implied.rate_h_s / 1e12 == pytest.approx(implied_th_s, abs=0.006)
    assert implied.rate_h_s / 1e12 / displayed_th_s == pytest.approx(ratio, abs=0.0006)
    assert implied.half_width_frac / 1.96 == pytest.approx(sigma, abs=0.0006)


def test_the_interval_of_the_implied_rate_holds_the_true_rate_as_often_as_it_says():
    true_h_s, covered = 400.0 * 65536.0 * HASHES_PER_DIFFICULTY / 1000.0, 0
    for seed in range(2000):
        shares = int(np.random.default_rng(seed).poisson(400.0))
        counters = Counters(elapsed_s=1000.0, accepted=shares, accepted_difficulty=shares * 65536.0)
        implied = implied_rate(counters)
        covered += implied.low_h_s <= true_h_s <= implied.high_h_s
    assert 0.94 <= covered / 2000 <= 0.97


def test_without_a_number_of_shares_the_implied_rate_has_no_interval():
    implied = implied_rate(Counters(elapsed_s=3453.0, accepted_difficulty=42_323_968.0))
    assert implied.rate_h_s == pytest.approx(52.65e12, rel=1e-3)
    assert (implied.shares, implied.low_h_s, implied.high_h_s, implied.half_width_frac) == (None,) * 4


@pytest.mark.parametrize("counters", [Counters(), Counters(elapsed_s=0.0, accepted_difficulty=1.0), Counters(9.0)])
def test_without_counters_there_is_no_implied_rate(counters):
    assert implied_rate(counters) is None


def test_a_displayed_rate_without_any_share_is_named_once_shares_should_have_come():
    def shown(elapsed_s):
        counters = Counters(elapsed_s=elapsed_s, accepted=0, accepted_difficulty=0.0)
        pools = (Pool("stratum+tcp://pool.example.com:3333", active=True, difficulty=2.0**16),)
        return reading(rates=(rate(100e12),), counters=counters, pools=pools).warnings

    assert shown(50.0) == ()
    assert shown(600.0) == ("no share was accepted in 600 s; 100 TH/s would have given 213",)


def test_averages_that_go_on_while_nothing_is_hashed_are_stale():
    idle = rate(0.0, "decay", 60.0, key="summary: MHS 1m")
    assert reading(rates=(idle, rate(44e12))).warnings == (
        "stale average: summary: MHS av 44 TH/s, while summary: MHS 1m is 0",
    )
    assert reading(rates=(rate(44e12),), mode=Mode(hashing=False)).warnings == (
        "stale average: summary: MHS av 44 TH/s, while the miner does not hash",
    )


def test_a_board_that_does_not_hash_or_lacks_chips_is_named():
    boards = (Board("board 0", 29e12, chips=119, chips_expected=120), Board("board 1", 0.0, chips=120))
    assert reading(boards=boards).warnings == (
        "board 0: 119 of 120 chips answer",
        "board 1: no hashrate, while other boards hash",
    )
    assert reading(boards=(Board("board 0", 0.0), Board("board 1", 0.0))).warnings == ()


def counted(accepted, ratio):
    """Return a reading whose shares imply so many times its displayed rate of 100 TH/s."""
    difficulty = 100e12 * ratio * 3600.0 / HASHES_PER_DIFFICULTY
    return reading(rates=(rate(100e12),), counters=Counters(3600.0, accepted=accepted, accepted_difficulty=difficulty))


@pytest.mark.parametrize(
    ("accepted", "ratio", "warns"),
    [(10_000, 0.97, True), (10_000, 0.99, False), (10_000, 1.031, True), (900, 0.93, False), (900, 0.91, True)],
)
def test_shares_contradict_a_rate_beyond_two_and_a_half_deviations_and_two_per_cent(accepted, ratio, warns):
    assert [line.startswith("accepted difficulty implies") for line in counted(accepted, ratio).warnings] == [
        True
    ] * warns


def test_two_averages_since_the_restart_that_differ_are_named():
    made = reading(rates=(rate(100e12), rate(106e12, key="stats: MHS(Avg)"), rate(300e12, "instant")))
    (line,) = made.warnings
    assert line == ("two averages since the restart differ by 6.0%: summary: MHS av 100 TH/s, stats: MHS(Avg) 106 TH/s")


def test_a_rate_far_above_the_nominal_one_is_named():
    made = reading(rates=(rate(178e12, "decay", 5.0, key="summary: MHS 5s"),), nominal_rate_h_s=100e12)
    assert made.warnings == ("summary: MHS 5s 178 TH/s is 1.78 times the nominal rate",)


@pytest.mark.parametrize(("watts", "kind", "warns"), [
    (58.9, "ac_in_psu", True), (3000.0, "ac_in_psu", False), (58.9, "target", False), (3e6, "estimate", True),
])  # fmt: skip
def test_an_efficiency_that_no_machine_has_is_named(watts, kind, warns):
    made = reading(rates=(rate(100e12),), powers=(power(watts, kind),))
    assert [("J/TH" in line) for line in made.warnings] == [True] * warns


def test_a_rate_of_no_single_machine_is_a_sum_of_several():
    assert reading(rates=(rate(5e15),)).warnings == (
        (
            "summary: MHS av 5000 TH/s is more than one machine makes: a proxy or a sum of several "
            "machines, or a wrong unit"
        ),
    )
    assert reading(boards=tuple(Board(f"board {index}", 1e12) for index in range(17))).warnings == (
        "17 boards are more than one machine has: a proxy or a sum of several machines",
    )


def test_a_machine_that_does_not_hash_has_no_efficiency():
    assert reading(rates=(rate(100e12),), powers=(power(58.9),), mode=Mode(hashing=False)).warnings == (
        "stale average: summary: MHS av 100 TH/s, while the miner does not hash",
    )


def test_windows_longer_than_the_run_are_named_together():
    rates = [rate(1.0, "mean", window_s, key=f"stats.real: last_{window_s:g}") for window_s in (60.0, 3600.0, 86400.0)]
    assert unfilled(rates, 600.0, ", and so on") == [
        "stats.real: last_3600, last_86400: the window is not full after 600 s, and so on"
    ]
    assert unfilled(rates, 90_000.0) == []
    assert unfilled(rates, None) == []
