"""Prices of NYISO are read to the hourly truth; only the order of the rows tells the hours of autumn apart."""

import pytest
from doubles.feeds.america import nyiso
from doubles.feeds.reading import differences, read_text
from doubles.feeds.truth import Step, steps, time_s, year

from hardware_profiles.errors import InputError

YEAR = year(nyiso.ZONE)
AUTUMN = time_s(nyiso.ZONE, 2025, 11, 2), time_s(nyiso.ZONE, 2025, 11, 3)
SPRING = time_s(nyiso.ZONE, 2025, 3, 9), time_s(nyiso.ZONE, 2025, 3, 10)
ZONE = {"point": "CAPITL"}


@pytest.mark.parametrize("quoted", [False, True])
def test_a_year_of_hours_is_the_truth(tmp_path, quoted):
    feed = read_text(tmp_path, nyiso.hourly(steps(*YEAR), quoted=quoted), ZONE)
    assert (feed.layout.name, feed.unit) == ("nyiso", "USD/MWh")
    assert feed.chosen == {"point": "CAPITL", "market": "hourly"}
    assert (feed.intervals.resolutions, feed.intervals.missing) == ({3600: 8760}, 0)
    assert not differences(feed, *YEAR)


def test_a_year_of_five_minutes_is_the_truth(tmp_path):
    feed = read_text(tmp_path, nyiso.real_time(steps(*YEAR, 5), nyiso.NAMES[:1]))
    assert feed.chosen == {"point": "CAPITL", "market": "real-time"}
    assert feed.intervals.resolutions == {300: 105_120}
    assert not differences(feed, *YEAR)


@pytest.mark.parametrize("span", [AUTUMN, SPRING])
@pytest.mark.parametrize("write", [nyiso.hourly, lambda found: nyiso.real_time(found, blank_first=False)])
def test_days_of_changing_clocks_have_their_hours_at_every_zone(tmp_path, span, write):
    text = write(list(steps(*span)))
    feed = read_text(tmp_path, text, ZONE)
    assert (len(feed.intervals.values), feed.intervals.missing) == ((span[1] - span[0]) // 3600, 0)
    assert not differences(feed, *span)
    west = read_text(tmp_path, text, {"point": "WEST"})
    assert west.intervals.values == pytest.approx(feed.intervals.values + 1000)


def test_quarter_hours_of_the_repeated_hour_follow_their_order(tmp_path):
    feed = read_text(tmp_path, nyiso.real_time(steps(*AUTUMN, 15)), ZONE)
    assert feed.intervals.resolutions == {900: 100}
    assert not differences(feed, *AUTUMN)


def test_a_run_between_two_regular_times_has_a_shorter_interval(tmp_path):
    start_s = AUTUMN[1] - 3600
    regular = list(steps(start_s, AUTUMN[1], 5))
    first = regular[3]
    halves = [
        Step(first.start_s, first.start_s + 133, first.price),
        Step(first.start_s + 133, first.end_s, first.price),
    ]
    feed = read_text(tmp_path, nyiso.real_time(regular[:3] + halves + regular[4:]), ZONE)
    assert feed.intervals.resolutions == {133: 1, 167: 1, 300: 11}
    assert feed.intervals.missing == 0
    assert not differences(feed, start_s, AUTUMN[1])


def test_a_missing_row_stays_missing(tmp_path):
    start_s = AUTUMN[1] - 3600
    regular = list(steps(start_s, AUTUMN[1], 5))
    feed = read_text(tmp_path, nyiso.real_time(regular[:4] + regular[5:]), ZONE)
    assert feed.intervals.missing == 1
    assert len(differences(feed, start_s, AUTUMN[1])) == 1


def test_the_latest_interval_alone_has_five_minutes(tmp_path):
    step = next(steps(*AUTUMN, 5))
    feed = read_text(tmp_path, nyiso.real_time([step]), ZONE)
    assert feed.intervals.resolutions == {300: 1}


def test_zones_are_chosen_by_their_names_with_blanks(tmp_path):
    text = nyiso.hourly(steps(*AUTUMN), (("H Q", "61844"), ("HUD VL", "61758")))
    with pytest.raises(InputError, match=r"expected one point, got 2: H Q, HUD VL \(choose with point=NAME\)"):
        read_text(tmp_path, text)
    with pytest.raises(InputError, match=r"got 'HUDVL' \(did you mean HUD VL\?\)"):
        read_text(tmp_path, text, {"point": "HUDVL"})
    assert not differences(read_text(tmp_path, text, {"point": "H Q"}), *AUTUMN)


def test_zones_one_after_the_other_are_listed_and_each_is_the_truth(tmp_path):
    heading, *rows = nyiso.hourly(steps(*AUTUMN)).splitlines()
    text = "\n".join([heading, *rows[::2], *rows[1::2]])
    with pytest.raises(InputError, match="expected one point, got 2: CAPITL, WEST"):
        read_text(tmp_path, text)
    assert not differences(read_text(tmp_path, text, ZONE), *AUTUMN)


def test_rows_that_go_back_in_time_are_refused(tmp_path):
    lines = nyiso.hourly(steps(*AUTUMN)).splitlines()
    text = "\n".join([lines[0], *lines[:0:-1]])
    with pytest.raises(InputError, match="expected rows in the order of time, because only their order tells the rep"):
        read_text(tmp_path, text, ZONE)


def test_the_hour_that_spring_skips_is_refused(tmp_path):
    text = nyiso.hourly(steps(*SPRING)).replace("03/09/2025 03:00", "03/09/2025 02:00")
    with pytest.raises(InputError, match="line 6: Time Stamp: expected a time that exists in America/New_York, got"):
        read_text(tmp_path, text, ZONE)


def test_two_forms_of_times_in_one_file_are_refused(tmp_path):
    text = nyiso.hourly(steps(*AUTUMN)).replace("04:00,CAPITL", "04:00:00,CAPITL")
    with pytest.raises(InputError, match="line 12: Time Stamp: expected a time as MM/DD/YYYY HH:MM, as in the first"):
        read_text(tmp_path, text, ZONE)
