"""Ember's hourly prices: a country is chosen, times are UTC."""

import pytest
from doubles.feeds.europe import ember, market
from doubles.feeds.reading import read_text

from hardware_profiles.errors import InputError

DAY = market.days((2025, 10, 26))
TEXT = ember.countries(
    ("Spain", "ESP", "Europe/Madrid", DAY),
    ("United Kingdom", "GBR", "Europe/London", [step._replace(price=100.0) for step in DAY]),
)


def test_countries_are_refused_until_one_is_chosen(tmp_path):
    with pytest.raises(InputError, match="expected one country, got 2: Spain, United Kingdom"):
        read_text(tmp_path, TEXT)
    with pytest.raises(InputError, match=r"got 'spain' \(did you mean Spain\?\)"):
        read_text(tmp_path, TEXT, {"country": "spain"})
    assert read_text(tmp_path, TEXT, {"country": "Spain"}).intervals.values.tolist() == [step.price for step in DAY]


def test_times_within_an_hour_are_refused(tmp_path):
    with pytest.raises(InputError, match=r"line 2: Datetime \(UTC\): expected the start of a whole hour, got "):
        read_text(tmp_path, TEXT.replace(b":00:00,", b":30:00,"))
