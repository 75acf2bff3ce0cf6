"""Figures as text: prefixes, field units, J/TH with one number of digits, intervals that name their unit once."""

import pytest

from bench.quantity import j_per_th, j_per_th_with_unit, plain, quantity, quantity_range, short, si


@pytest.mark.parametrize(
    ("value", "text"),
    [(9.5, "9.50"), (17.5, "17.50"), (150.25, "150.2"), (3_381_000.0, "3,381,000"), (None, "-")],
)
def test_a_j_per_th_has_four_digits_and_at_most_two_decimals(value, text):
    assert j_per_th(value) == text


def test_one_more_digit_of_j_per_th_is_one_constant(monkeypatch):
    monkeypatch.setattr("bench.quantity.J_PER_TH_DIGITS", 5)
    assert (j_per_th(17.5), j_per_th_with_unit(17.5), quantity(17.5e-12, "J/hash")) == (
        "17.500",
        "17.500 J/TH",
        "17.500 J/TH",
    )


@pytest.mark.parametrize(
    ("value", "unit", "text"),
    [
        (17.5e-12, "J/hash", "17.50 J/TH"),
        (3.381e-6, "J/hash", "3.381 MJ/TH"),
        (200e12, "hash/s", "200 TH/s"),
        (4.5, "J/token", "4.5 J/token"),
        (0.5421, "1", "0.5421"),
    ],
)
def test_a_figure_is_printed_in_the_fields_unit(value, unit, text):
    assert quantity(value, unit) == text


def test_an_interval_names_its_unit_once_where_both_ends_share_it():
    assert quantity_range(4.1e7, 4.2e7, "hash/s") == "41 to 42 MH/s"
    assert quantity_range(9.99e8, 1.01e9, "hash/s") == "999 MH/s to 1.01 GH/s"


@pytest.mark.parametrize(
    ("value", "text"), [(9_999.0, "9,999"), (15.1e6, "15.10M"), (999_990.0, "1.000M"), (-5.5e8, "-550.0M"), (0.0, "0")]
)
def test_a_long_figure_is_shortened_to_four_digits_and_a_prefix(value, text):
    assert short(value) == text


def test_a_figure_that_does_not_exist_is_a_dash():
    assert (si(None, "W"), plain(None)) == ("-", "-")
