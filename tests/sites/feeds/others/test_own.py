"""Prices of perwatt's own programs: intervals with start and end, as they are published."""

import json
import math

import pytest

from hardware_profiles.errors import InputError
from sites.feeds.read import read_feed

HOUR = 1_796_090_400


def document(intervals, **keys):
    return {"schema": "perwatt.prices/1", "unit": "USD/MWh", "published_at_s": HOUR, "intervals": intervals, **keys}


def read(tmp_path, content):
    path = tmp_path / "prices.json"
    path.write_text(json.dumps(content))
    return read_feed(path)


def test_intervals_are_read_as_published_negative_capped_and_missing_ones_included(tmp_path):
    rows = [[HOUR, HOUR + 300, -12.5], [HOUR + 300, HOUR + 600, 4999], [HOUR + 600, HOUR + 1500.0, None]]
    feed = read(tmp_path, document(rows))
    assert (feed.layout.name, feed.unit) == ("perwatt-prices", "USD/MWh")
    assert feed.intervals.end_s.tolist() == [HOUR + 300, HOUR + 600, HOUR + 1500]
    assert feed.intervals.values.tolist()[:2] == [-12.5, 4999.0]
    assert math.isnan(feed.intervals.values[2])


def test_an_interval_that_comes_twice_with_the_same_price_counts_once(tmp_path):
    row = [HOUR, HOUR + 3600, 30]
    assert read(tmp_path, document([row, row])).intervals.doubled == 1


@pytest.mark.parametrize(
    "row",
    [
        [HOUR, HOUR, 1],
        [HOUR, HOUR + 0.5, 1],
        [HOUR, HOUR + 60],
        ["now", HOUR, 1],
        [True, HOUR, 1],
        "x",
        [HOUR, 1e300, 1],
    ],
)
def test_a_row_of_another_form_is_refused_by_its_place(tmp_path, row):
    with pytest.raises(InputError, match=r"intervals\[1\]: expected a list \[start, end, price\]"):
        read(tmp_path, document([[HOUR - 60, HOUR, 1], row]))


def test_two_prices_of_one_interval_and_a_price_that_is_no_number_are_refused(tmp_path):
    with pytest.raises(InputError, match="expected one value of the interval"):
        read(tmp_path, document([[HOUR, HOUR + 60, 1], [HOUR, HOUR + 60, 2]]))
    with pytest.raises(InputError, match=r"intervals\[0\]: expected a number"):
        read(tmp_path, document([[HOUR, HOUR + 60, "high"]]))
    with pytest.raises(InputError, match="intervals: expected a list"):
        read(tmp_path, document({"a": 1}))
