"""Difficulty and windows are fixed before the run, from the wanted error and the expected rate."""

import pytest

from bench.miners.record import Identity, MinerReading, RateReading
from bench.stratum.statistics.planning import shares_for
from bench.workloads.asic.choice import choose, expected_rate, parse_error, parse_rate
from hardware_profiles.errors import InputError


@pytest.mark.parametrize(("rate_h_s", "difficulty"), [(2e14, 4096.0), (9e13, 2048.0), (1.2e12, 256.0), (3e7, 2.0**-11)])
def test_the_difficulty_is_a_power_of_two_for_5_to_20_shares_a_second_or_the_ticket_mask(rate_h_s, difficulty):
    choice = choose((rate_h_s, "test"), 0.05, 3)
    assert choice.difficulty == difficulty
    assert choice.difficulty == 256.0 or 5.0 <= choice.expected_shares_s <= 20.0


def test_the_windows_together_give_the_shares_that_the_error_needs():
    choice = choose((2e14, "test"), 0.01, 3)
    assert choice.expected_shares == pytest.approx(shares_for(0.01))
    assert choice.window_s == pytest.approx(1126.0, rel=0.01)


def test_a_window_too_short_for_the_error_is_refused_with_the_seconds_needed():
    with pytest.raises(InputError, match=r"--measure-s: expected at least 3388 s for an error of 1.00% .*, got 600.0"):
        choose((2e14, "test"), 0.01, 3, measure_s=600.0)
    assert choose((2e14, "test"), 0.01, 3, measure_s=3600.0).window_s == 1200.0


def test_a_measurement_of_more_shares_than_are_kept_is_refused_before_it_starts():
    with pytest.raises(InputError, match=r"--measure-s: expected at most 61,\d+ s .* keeps 1,000,000 shares"):
        choose((2e14, "test"), 0.01, 3, measure_s=100_000.0)
    assert choose((2e14, "test"), 0.0025, 3).expected_shares < 700_000


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"difficulty": 16383.75}, "--difficulty: expected a power of two, .* got 16383.75 .did you mean 16384"),
        ({"difficulty": 2.0**46}, r"--error: expected an error that takes at most 1,000,000 s, not 2,352,907,"),
        ({"difficulty": 64.0}, "--difficulty: expected at least 4096 at 2e.14 hash/s"),
        ({"difficulty": 4096.0, "minimum_difficulty": 8192.0}, "--difficulty: expected at least 8192"),
    ],
)
def test_a_difficulty_that_does_not_suit_the_miner_is_refused(changes, message):
    with pytest.raises(InputError, match=message):
        choose((2e14, "test"), 0.05, 3, **changes)


def test_a_minimum_of_the_miner_raises_the_difficulty_to_a_power_of_two():
    assert choose((2e14, "test"), 0.05, 3, minimum_difficulty=5000.0).difficulty == 8192.0


@pytest.mark.parametrize(
    ("text", "rate_h_s"),
    [("200 TH/s", 2e14), ("200th/s", 2e14), ("1.2 TH/s", 1.2e12), ("30 MH/s", 3e7), ("5 H/s", 5.0)],
)
def test_a_rate_is_read_with_its_unit(text, rate_h_s):
    assert parse_rate(text) == pytest.approx(rate_h_s)


@pytest.mark.parametrize(
    "text", ["200", "200 TH", "-1 TH/s", "0 TH/s", "1e3 TH/s", "٢ TH/s", "", "TH/s", "9" * 40 + " PH/s"]
)
def test_a_rate_without_a_unit_is_refused(text):
    with pytest.raises(InputError, match=r"^--nominal: expected a hash rate with its unit"):
        parse_rate(text)


@pytest.mark.parametrize("text", ["1", "0%", "60%", "-1%", "0.2%", "0.01", "", "x%"])
def test_an_error_that_is_no_percentage_is_refused(text):
    with pytest.raises(InputError, match=r"^--error: expected a percentage"):
        parse_error(text)
    assert parse_error("2.5 %") == 0.025


def reading(**changes):
    rates = (RateReading(1.9e14, "decay", 5.0, "nonces", "summary: GHS 5s", "190000"),)
    return MinerReading(**{"identity": Identity("x"), "read_utc": "", "rates": rates} | changes)


def test_the_expected_rate_is_the_users_then_the_nominal_then_the_displayed_one():
    assert expected_rate(1e14, reading(nominal_rate_h_s=2e14)) == (1e14, "stated by the user")
    assert expected_rate(None, reading(nominal_rate_h_s=2e14)) == (2e14, "nominal rate of the firmware")
    assert expected_rate(None, reading())[0] == 1.9e14
    for nothing in (None, reading(rates=())):
        with pytest.raises(InputError, match=r"^--nominal: expected the rated hash rate"):
            expected_rate(None, nothing)
