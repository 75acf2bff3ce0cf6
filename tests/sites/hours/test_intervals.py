"""Rows of 5 to 60 minutes become the time-weighted means of hours, and a missing row stays a gap."""

from datetime import UTC, date, datetime, timedelta

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hardware_profiles.errors import InputError
from sites.file.series import Span, read_series
from sites.hours.calendar import HOUR_S, local_year
from sites.hours.intervals import Intervals, lengths_of_rows, step_means

START = datetime(2025, 10, 1, tzinfo=UTC)
START_S = int(START.timestamp())


def written(path, minutes, value, hours=48):
    """Write rows of one resolution from START on; return the values."""
    values = [value(row) for row in range(hours * 60 // minutes)]
    rows = [f"{START + timedelta(minutes=minutes * row):%Y-%m-%dT%H:%MZ},{v}" for row, v in enumerate(values)]
    path.write_text("\n".join(["time,usd", *rows]), encoding="utf-8")
    return np.array(values, float)


@pytest.mark.parametrize("minutes", [5, 10, 15, 20, 30])
def test_each_hour_is_the_mean_of_its_rows(tmp_path, minutes):
    values = written(tmp_path / "p.csv", minutes, lambda row: (row * 37 % 101) - 20)
    hours = read_series(tmp_path / "p.csv", "usd", Span(START_S, 48))
    assert hours == pytest.approx(values.reshape(48, -1).mean(axis=1), rel=1e-12)


def test_a_step_within_one_row_has_exactly_its_value(tmp_path):
    values = written(tmp_path / "p.csv", 60, lambda row: 0.1 + row / 3)
    quarters = read_series(tmp_path / "p.csv", "usd", Span(START_S, 192, 900))
    assert quarters.tolist() == np.repeat(values, 4).tolist()


@pytest.mark.parametrize(("before", "after"), [(60, 15), (15, 60), (30, 5), (60, 30)])
def test_the_resolution_may_change_within_a_file(tmp_path, before, after):
    first = written(tmp_path / "a.csv", before, lambda row: row, 24)
    rows = (tmp_path / "a.csv").read_text(encoding="utf-8").splitlines()
    at, value = START + timedelta(hours=24), 1000.0
    rest = []
    while at < START + timedelta(hours=72):
        rest.append(value)
        rows.append(f"{at:%Y-%m-%dT%H:%MZ},{value}")
        at, value = at + timedelta(minutes=after), value + 1.0
    (tmp_path / "a.csv").write_text("\n".join(rows), encoding="utf-8")
    hours = read_series(tmp_path / "a.csv", "usd", Span(START_S, 72))
    assert hours[:24] == pytest.approx(first.reshape(24, -1).mean(axis=1), rel=1e-12)
    assert hours[24:] == pytest.approx(np.reshape(rest, (48, -1)).mean(axis=1), rel=1e-12)


def test_a_missing_quarter_is_named_with_the_number_of_incomplete_hours(tmp_path):
    written(tmp_path / "p.csv", 15, lambda row: row)
    lines = (tmp_path / "p.csv").read_text(encoding="utf-8").splitlines()
    del lines[30:34], lines[18]  # a whole hour from quarter 29 on, and quarter 17
    (tmp_path / "p.csv").write_text("\n".join(lines), encoding="utf-8")
    wanted = r"expected all 48 hours from 2025-10-01T00:00Z, got none for 2025-10-01T04:15Z \(0 missing, 3 "
    with pytest.raises(InputError, match=wanted):
        read_series(tmp_path / "p.csv", "usd", Span(START_S, 48))


@settings(max_examples=60)
@given(st.sampled_from([300, 900, 1800, 3600]), st.sets(st.integers(0, 191), min_size=1, max_size=40))
def test_a_gap_is_never_taken_for_a_longer_row(length_s, gaps):
    """Whatever rows are missing, the intervals cover no moment that the file does not have."""
    rows = np.array([row for row in range(192) if row not in gaps]) * length_s
    lengths = np.minimum(lengths_of_rows(rows), np.append(np.diff(rows), length_s))
    if (np.diff(rows) == length_s).sum() > len(rows) // 2:
        assert set(lengths.tolist()) == {length_s}


def test_an_hour_that_lacks_a_part_has_no_mean():
    halves = Intervals(np.array([0, 1800, 3600]), np.array([1800, 3600, 5400]), np.array([1.0, 2.0, 3.0]))
    mean = step_means(halves, 0, 2)
    assert mean.value[0] == 1.5
    assert np.isnan(mean.value[1])
    assert mean.covered_s.tolist() == [3600, 1800]
    assert np.isnan(step_means(halves._replace(value=np.array([1.0, np.nan, 3.0])), 0, 1).value[0])


@pytest.mark.parametrize(("minutes", "place"), [(7, "line 3"), (1, "line 3"), (45, "line 3")])
def test_rows_of_another_distance_are_refused_with_the_known_ones(tmp_path, minutes, place):
    written(tmp_path / "p.csv", minutes, lambda row: row, 24)
    with pytest.raises(InputError, match=rf"{place}: time: .*rows may be 5, 10, 15, 20, 30 or 60 minutes apart"):
        read_series(tmp_path / "p.csv", "usd", Span(START_S, 24))


def test_a_quarter_that_comes_twice_is_refused(tmp_path):
    written(tmp_path / "p.csv", 15, lambda row: row)
    with (tmp_path / "p.csv").open("a", encoding="utf-8") as file:
        file.write("\n2025-10-01T07:15Z,3")
    with pytest.raises(InputError, match="line 194: time: expected each interval once, got 2025-10-01T07:15Z again"):
        read_series(tmp_path / "p.csv", "usd", Span(START_S, 48))


def year_of_prices(path, calendar, minutes, value):
    """Write a year's prices; `value` is a function of the quarter of an hour."""
    rows = ["time,usd"]
    for row in range(calendar.hours * 60 // minutes):
        at = datetime.fromtimestamp(calendar.start_s + row * minutes * 60, UTC)
        quarters = range(row * minutes // 15, (row + 1) * minutes // 15)
        rows.append(f"{at:%Y-%m-%dT%H:%MZ},{sum(map(value, quarters)) / len(quarters)!r}")
    path.write_text("\n".join(rows), encoding="utf-8")


HOURLY = "[price.hourly]\nfile = 'prices.csv'\ncolumn = 'usd'\n[market]"


def test_a_year_of_quarters_is_that_of_its_hourly_means_and_says_so(edited, tmp_path):
    calendar = local_year(date(2026, 1, 1), "UTC")
    years = []
    for minutes in (60, 15):
        year_of_prices(tmp_path / "prices.csv", calendar, minutes, lambda quarter: (quarter * 7919 % 97) - 8)
        years.append(edited("energy_usd_per_mwh = 40\n[market]", HOURLY))
    hours, quarters = years
    assert quarters.spot_usd_per_mwh.tolist() == hours.spot_usd_per_mwh.tolist()
    assert quarters.notes == ("15-minute prices of prices.csv: hourly means", *hours.notes)
    assert hours.calendar.start_s % HOUR_S == 0
