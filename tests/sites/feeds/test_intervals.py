"""Intervals are put in the order of time; doubles, versions, gaps and means are counted."""

import math

import numpy as np
import pytest

from hardware_profiles.errors import InputError
from sites.feeds.intervals import Entries
from sites.feeds.model import Entry


def ordered(*entries):
    collected = Entries()
    for entry in entries:
        collected.add(Entry(*entry))
    return collected.ordered("a.csv")


def test_entries_in_any_order_become_one_series():
    intervals = ordered((7200, 10800, 3.0), (0, 3600, 1.0), (3600, 7200, 2.0))
    assert intervals.values.tolist() == [1, 2, 3]
    assert intervals.resolutions == {3600: 3}


def test_the_highest_version_counts_and_the_others_are_revised():
    intervals = ordered((0, 3600, 1.0, 1), (0, 3600, 5.0, 3), (0, 3600, 2.0, 2), (3600, 7200, 9.0))
    assert intervals.values.tolist() == [5, 9]
    assert (intervals.revised, intervals.doubled) == (2, 0)


def test_an_equal_double_is_counted_and_an_unequal_one_refused():
    assert ordered((0, 3600, 1.0), (0, 3600, 1.0)).doubled == 1
    assert ordered((0, 3600, math.nan), (0, 3600, 1.0)).values.tolist() == [1]
    with pytest.raises(InputError, match="expected one value of the interval from 1970-01-01T00:00Z, got 1 and 2"):
        ordered((0, 3600, 1.0), (0, 3600, 2.0))


def test_a_double_of_a_superseded_version_is_not_an_error():
    assert ordered((0, 3600, 1.0, 1), (0, 3600, 2.0, 1), (0, 3600, 3.0, 2)).values.tolist() == [3]


def test_overlapping_intervals_are_two_products():
    with pytest.raises(
        InputError, match=r"got 1970-01-01T00:00Z to .*01:00Z and .*00:15Z to .*00:30Z \(two products\?\)"
    ):
        ordered((0, 3600, 1.0), (900, 1800, 2.0))


def test_absent_and_empty_intervals_are_missing():
    intervals = ordered((0, 900, 1.0), (2700, 3600, 1.0), (3600, 4500, math.nan))
    assert intervals.missing == 3


def test_an_hour_is_the_mean_of_the_intervals_that_cover_it():
    intervals = ordered((0, 900, 1.0), (900, 1800, 2.0), (1800, 3600, 6.0), (3600, 7200, 7.0), (7200, 9000, 8.0))
    assert intervals.to_steps(0, 2).tolist() == [3.75, 7]
    assert np.isnan(intervals.to_steps(7200, 1)).all()
    assert np.isnan(intervals.to_steps(-3600, 1)).all()


def test_an_empty_interval_makes_its_hour_missing():
    means = ordered((0, 1800, 1.0), (1800, 3600, math.nan), (3600, 7200, 2.0)).to_steps(0, 2)
    assert np.isnan(means[0])
    assert means[1] == 2


def test_a_day_covers_each_of_its_hours():
    assert ordered((0, 86_400, 5.0)).to_steps(0, 24).tolist() == [5] * 24


def test_hours_that_begin_at_the_half_hour_are_means_of_the_halves():
    assert ordered((0, 3600, 1.0), (3600, 7200, 2.0)).to_steps(1800, 1).tolist() == [1.5]


def test_statistics_weigh_by_time_and_count_zeros():
    entries = [(0, 3600, -5.0), (3600, 5400, 0.0), (5400, 7200, 0.0), (7200, 10800, math.nan), (10800, 14400, 11.0)]
    statistics = ordered(*entries).statistics()
    assert statistics == (-5.0, 2.0, 11.0, 1, 2)


def test_a_span_is_cut_out_and_what_it_lacks_is_empty():
    intervals = ordered((0, 3600, 1.0), (3600, 7200, 2.0), (7200, 10800, 3.0))
    inside = intervals.between(1800, 5400)
    assert (inside.start_s.tolist(), inside.end_s.tolist()) == ([1800, 3600], [3600, 5400])
    wider = intervals.between(-5400, 14400)
    assert wider.missing == 3
    assert (int(wider.start_s[0]), int(wider.end_s[-1])) == (-5400, 14400)
    wider.refuse_overlaps("a.csv")
    assert intervals.between(20000, 27200).missing == 2


def test_the_previous_value_fills_gaps_and_empty_intervals():
    intervals = ordered(
        (0, 900, math.nan), (900, 1800, 1.0), (1800, 2700, math.nan), (4500, 5400, 2.0), (5400, 6300, math.nan)
    )
    filled, count = intervals.filled()
    assert count == 4
    assert filled.values.tolist()[1:] == [1, 1, 2, 2]
    assert filled.start_s.tolist() == [0, 900, 1800, 4500, 5400]
    assert filled.end_s.tolist() == [900, 1800, 4500, 5400, 6300]
    assert filled.missing == 1
    assert ordered((0, 900, math.nan)).filled()[1] == 0


@pytest.mark.parametrize("value", [2e15, -1e300, math.inf])
def test_a_value_beyond_every_market_is_refused(value):
    with pytest.raises(InputError, match=r"a.csv: expected values below 1e\+15, got .* at 1970-01-01T01:00Z"):
        ordered((0, 3600, 1e15), (3600, 7200, value))
