"""Frames of gridstatus and entsoe-py that were saved as CSV are read to the hourly truth."""

import pytest
from doubles.feeds.others import frames
from doubles.feeds.reading import differences, read_text
from doubles.feeds.truth import steps, time_s, year

from hardware_profiles.errors import InputError

ZONE = "America/Chicago"
YEAR = year(ZONE)
AUTUMN = time_s(ZONE, 2025, 11, 2), time_s(ZONE, 2025, 11, 3)
BERLIN = year("Europe/Berlin")
QUARTERS_SINCE = time_s("Europe/Berlin", 2025, 10, 1)


@pytest.mark.parametrize(
    "heading",
    [frames.LIBRARY_SPP, frames.LIBRARY_LMP, frames.LIBRARY_PJM, frames.LIBRARY_OLD_PJM],
)
@pytest.mark.parametrize("index", [False, True])
def test_a_year_of_the_library_is_the_truth(tmp_path, heading, index):
    feed = read_text(tmp_path, frames.gridstatus(steps(*YEAR), heading, index=index))
    assert (feed.layout.name, feed.unit) == ("gridstatus", "USD/MWh")
    assert feed.chosen == {"point": "LZ_WEST", "market": "DAY_AHEAD_HOURLY"}
    assert (feed.intervals.resolutions, feed.intervals.missing) == ({3600: 8760}, 0)
    assert not differences(feed, *YEAR)


def test_a_year_of_quarter_hours_of_the_service_is_the_truth(tmp_path):
    feed = read_text(tmp_path, frames.service(steps(*YEAR, 15)))
    assert (feed.layout.name, feed.intervals.resolutions) == ("gridstatus-io", {900: 35_040})
    assert not differences(feed, *YEAR)


def test_the_point_and_the_market_are_chosen(tmp_path):
    text = frames.gridstatus(steps(*AUTUMN), points=("LZ_WEST", "HB_WEST"))
    with pytest.raises(InputError, match=r"expected one point, got 2: LZ_WEST, HB_WEST"):
        read_text(tmp_path, text)
    assert read_text(tmp_path, text, {"point": "HB_WEST"}).intervals.values.min() > 800
    real_time = frames.service(steps(*AUTUMN, 15), market="REAL_TIME_15_MIN").split("\n", 1)[1]
    with pytest.raises(InputError, match="expected one market, got 2: DAY_AHEAD_HOURLY, REAL_TIME_15_MIN"):
        read_text(tmp_path, frames.service(steps(*AUTUMN)) + real_time)


def test_times_without_their_offset_are_refused(tmp_path):
    text = frames.gridstatus(steps(*AUTUMN)).replace("-05:00", "").replace("-06:00", "")
    with pytest.raises(InputError, match="line 2: Interval Start: expected an ISO 8601 time with an offset, got '2025"):
        read_text(tmp_path, text)


def test_an_interval_that_ends_before_it_starts_is_refused(tmp_path):
    lines = frames.gridstatus(steps(*AUTUMN)).splitlines()
    cells = lines[1].split(",")
    lines[1] = ",".join([*cells[:2], cells[1], *cells[3:]])
    with pytest.raises(InputError, match="line 2: Interval End: expected a time after the start of the interval, got"):
        read_text(tmp_path, "\n".join(lines))


def test_a_year_of_entsoe_py_that_changes_to_quarter_hours_is_the_truth(tmp_path):
    series = [*steps(BERLIN[0], QUARTERS_SINCE), *steps(QUARTERS_SINCE, BERLIN[1], 15)]
    feed = read_text(tmp_path, frames.entsoe_py(series))
    assert (feed.layout.name, feed.unit, feed.chosen) == ("entsoe-py", "EUR/MWh", {})
    assert feed.intervals.resolutions == {900: 8836, 3600: 6551}
    assert not differences(feed, *BERLIN)


def test_a_missing_hour_of_entsoe_py_stays_missing(tmp_path):
    series = list(steps(*AUTUMN))
    feed = read_text(tmp_path, frames.entsoe_py(series[:5] + series[6:]))
    assert feed.intervals.missing == 1
    assert list(differences(feed, *AUTUMN)) == [series[5].start_s]


def test_a_series_of_two_months_is_not_taken_for_hours(tmp_path):
    text = ",0\n2025-10-01 00:00:00+02:00,80.5\n2025-11-01 00:00:00+01:00,90.5\n"
    with pytest.raises(InputError, match="the time of a row: expected times 5, 10, 15, 20, 30, 60 minutes apart"):
        read_text(tmp_path, text)
