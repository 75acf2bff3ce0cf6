"""Values of firmware: numbers as text, with units, missing, or no numbers."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.miners import values

NOTHING = [None, True, False, "", "N/A", "nan", "inf", "-", "abc", [], {}, math.nan, math.inf, 10**400, "1e999", "--5"]


@pytest.mark.parametrize("value", NOTHING)
def test_what_is_no_number_is_none(value):
    assert values.number(value) is None
    assert values.rate_h_s(value, "GH/s") is None
    assert values.power_w(value) is None
    assert values.whole(value) is None
    assert values.difficulty(value) is None


@pytest.mark.parametrize(
    ("value", "number"),
    [
        (5, 5.0),
        (-1, -1.0),
        ("3250 W", 3250.0),
        ("1,234.5", 1234.5),
        (" 7 ", 7.0),
        ("1e3", 1000.0),
        (".5", 0.5),
        ("72%", 72.0),
    ],
)
def test_numbers_are_read_with_their_units(value, number):
    assert values.number(value) == number


@pytest.mark.parametrize(
    ("value", "unit", "rate_h_s"),
    [
        (100, "MH/s", 1e8),
        (1.5, "TH/s", 1.5e12),
        ("12.5 GH", "MH/s", 12.5e9),  # its own unit counts
        ("13512.11", "GH/s", 13512.11e9),
        ("13512.11", "GH", 13512.11e9),
        ("3.2TH/s", "GH/s", 3.2e12),
        ("3.2 Ths", "GH/s", 3.2e12),
        (0, "GH/s", 0.0),
        (-1, "GH/s", None),
        ("5 W", "GH/s", None),
    ],
)
def test_rates_have_the_unit_of_the_family_or_their_own(value, unit, rate_h_s):
    read = values.rate_h_s(value, unit)
    assert read == (None if rate_h_s is None else pytest.approx(rate_h_s, rel=1e-12))


@pytest.mark.parametrize(
    ("value", "power_w"),
    [(3417, 3417.0), ("58.94W", 58.94), ("3.25 kW", 3250.0), ("900 mW", 0.9), (0, 0.0), (-1, None), ("3250 V", None)],
)
def test_powers_are_in_watts_and_minus_one_is_unknown(value, power_w):
    assert values.power_w(value) == power_w


@pytest.mark.parametrize(("value", "difficulty"), [("524K", 524_000.0), ("1.5M", 1.5e6), (65536, 65536.0), ("", None)])
def test_difficulties_may_be_shortened(value, difficulty):
    assert values.difficulty(value) == difficulty


@pytest.mark.parametrize(("value", "count"), [(5, 5), ("5", 5), (5.0, 5), (5.5, None), (-1, None), (2**70, None)])
def test_counts_are_whole_and_not_negative(value, count):
    assert values.whole(value) == count


@pytest.mark.parametrize(
    ("value", "truth"),
    [
        (True, True),
        ("true", True),
        ("'false'", False),
        ("1", True),
        (0, False),
        ("Y", True),
        ("maybe", None),
        (None, None),
    ],
)
def test_truths_are_read_from_words_and_numbers(value, truth):
    assert values.truth(value) is truth


@pytest.mark.parametrize(
    ("value", "numbers"),
    [
        ("78-50-69-70", (78.0, 50.0, 69.0, 70.0)),
        (" 63  70  -1", (63.0, 70.0, -1.0)),
        ([41.1, "40.1", None], (41.1, 40.1)),
        ("", ()),
        (None, ()),
    ],
)
def test_lists_of_numbers_come_in_three_forms(value, numbers):
    assert values.numbers(value) == numbers


def test_a_unit_is_told_from_others_and_not_named():
    one, other = values.unit_hash("", "02:00:00:12:34:56"), values.unit_hash("02:00:00:12:34:57")
    assert one != other
    assert one == values.unit_hash("020000123456")
    assert len(one) == 8
    assert values.unit_hash(None, "", "000000000000") == ""


@pytest.mark.parametrize(
    ("url", "address"),
    [
        ("stratum+tcp://pool.example.com:3333", "stratum+tcp://pool.example.com:3333"),
        ("stratum+ssl://wallet:x@pool.example.com:443/path?key=1#frag", "stratum+ssl://pool.example.com:443"),
        ("pool.example.com:3333", "pool.example.com:3333"),
        ("stratum+tcp://192.168.1.5:3333", "stratum+tcp://(local address):3333"),
        ("stratum+tcp://[fe80::1]:3333", "stratum+tcp://(local address):3333"),
        ("stratum+tcp://pool:99999", "(not an address)"),
        ("", ""),
        (None, ""),
    ],
)
def test_a_pool_is_its_scheme_host_and_port(url, address):
    assert values.pool_address(url) == address


@given(st.text(max_size=60) | st.integers() | st.floats() | st.lists(st.text(), max_size=3))
def test_no_value_raises(value):
    for read in (values.number, values.power_w, values.difficulty, values.whole, values.truth, values.numbers):
        read(value)
    assert "@" not in values.pool_address(value)
    assert len(values.text(value)) <= values.LONGEST_TEXT
