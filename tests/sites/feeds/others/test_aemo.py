"""Prices of AEMO are read to the hourly truth: UTC+10 all year, in 30 and in five minutes."""

import pytest
from doubles.feeds.others import aemo
from doubles.feeds.reading import differences, read_text
from doubles.feeds.truth import steps, time_s, year

from hardware_profiles.errors import InputError


def test_a_year_of_five_minutes_is_the_truth(tmp_path):
    span = year("Australia/Brisbane")
    feed = read_text(tmp_path, aemo.prices(steps(*span, 5)))
    assert (feed.layout.name, feed.unit, feed.chosen) == ("aemo", "AUD/MWh", {"region": "SA1", "type": "TRADE"})
    assert feed.intervals.resolutions == {300: 105_120}
    assert not differences(feed, *span)


def test_the_change_from_half_hours_to_five_minutes_is_seamless(tmp_path):
    zone = "Australia/Brisbane"
    span = time_s(zone, 2021, 9, 30), time_s(zone, 2021, 10, 1), time_s(zone, 2021, 10, 2)
    text = aemo.prices(steps(*span[:2], 30)) + aemo.prices(steps(*span[1:], 5)).split("\n", 1)[1]
    feed = read_text(tmp_path, text)
    assert feed.intervals.resolutions == {300: 288, 1800: 48}
    assert feed.intervals.missing == 0
    assert not differences(feed, span[0], span[2])


def test_forecasts_after_the_prices_of_trade_are_another_product(tmp_path):
    zone = "Australia/Brisbane"
    span = time_s(zone, 2025, 5, 1), time_s(zone, 2025, 5, 2), time_s(zone, 2025, 5, 3)
    text = aemo.prices(steps(*span[:2], 5)) + aemo.prices(steps(*span[1:], 5), kind="FORECAST").split("\n", 1)[1]
    with pytest.raises(InputError, match=r"expected one type, got 2: TRADE, FORECAST \(choose with type=NAME\)"):
        read_text(tmp_path, text)
    assert read_text(tmp_path, text, {"type": "TRADE"}).intervals.resolutions == {300: 288}
