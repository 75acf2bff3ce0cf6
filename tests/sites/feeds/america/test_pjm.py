"""Prices of PJM are read from downloads and from the API to the hourly truth."""

import json

import pytest
from doubles.feeds.america import pjm
from doubles.feeds.reading import differences, read_text
from doubles.feeds.truth import steps, time_s, year

from hardware_profiles.errors import InputError

YEAR = year(pjm.ZONE)
HOURS = list(steps(*YEAR))
AUTUMN = time_s(pjm.ZONE, 2025, 11, 2), time_s(pjm.ZONE, 2025, 11, 3)
SPRING = time_s(pjm.ZONE, 2025, 3, 9), time_s(pjm.ZONE, 2025, 3, 10)


def test_a_year_of_day_ahead_prices_is_the_truth(tmp_path):
    feed = read_text(tmp_path, pjm.text(pjm.DAY_AHEAD, HOURS))
    assert (feed.layout.name, feed.unit) == ("pjm-da", "USD/MWh")
    assert feed.chosen == {"point": "PJM-RTO", "pnode_id": "51217"}
    assert (feed.intervals.resolutions, feed.intervals.missing) == ({3600: 8760}, 0)
    assert not differences(feed, *YEAR)


def test_a_year_of_five_minutes_is_the_truth(tmp_path):
    feed = read_text(tmp_path, pjm.text(pjm.REAL_TIME, steps(*YEAR, 5)))
    assert (feed.layout.name, feed.intervals.resolutions) == ("pjm-rt", {300: 105_120})
    assert not differences(feed, *YEAR)


@pytest.mark.parametrize(
    ("heading", "minutes"),
    [(pjm.REAL_TIME, 60), (pjm.UNVERIFIED_HOURLY, 60), (pjm.UNVERIFIED_FIVE_MINUTE, 5)],
)
@pytest.mark.parametrize("span", [AUTUMN, SPRING])
def test_days_of_changing_clocks_are_the_truth_in_every_feed(tmp_path, heading, minutes, span):
    feed = read_text(tmp_path, pjm.text(heading, steps(*span, minutes)))
    assert feed.layout.name == "pjm-rt"
    assert (set(feed.intervals.resolutions), feed.intervals.missing) == ({60 * minutes}, 0)
    assert not differences(feed, *span)


@pytest.mark.parametrize("heading", [pjm.DAY_AHEAD, pjm.REAL_TIME])
def test_answers_of_the_api_are_the_truth(tmp_path, heading):
    feed = read_text(tmp_path, pjm.answer(heading, steps(*AUTUMN), points=pjm.POINTS), {"point": "PJM-RTO"})
    assert not differences(feed, *AUTUMN)
    as_csv = pjm.text(heading, steps(*AUTUMN), clock=pjm.iso)
    assert not differences(read_text(tmp_path, as_csv), *AUTUMN)


def test_times_with_milliseconds_are_read(tmp_path):
    text = pjm.text(pjm.REAL_TIME, steps(*AUTUMN), clock=lambda moment: f"{pjm.iso(moment)}.000")
    assert not differences(read_text(tmp_path, text), *AUTUMN)


def test_the_current_version_of_a_corrected_row_counts(tmp_path):
    revised = {HOURS[10].start_s, HOURS[11].start_s, HOURS[4000].start_s}
    feed = read_text(tmp_path, pjm.text(pjm.DAY_AHEAD, HOURS, revised=revised))
    assert (feed.intervals.revised, feed.intervals.doubled) == (3, 0)
    assert not differences(feed, *YEAR)


def test_the_current_row_counts_over_a_higher_number(tmp_path):
    text = pjm.text(pjm.DAY_AHEAD, steps(*AUTUMN), revised={AUTUMN[0]}).replace("False,1", "False,9")
    assert not differences(read_text(tmp_path, text), *AUTUMN)


def test_points_are_chosen_and_have_their_own_prices(tmp_path):
    text = pjm.text(pjm.DAY_AHEAD, steps(*AUTUMN), points=pjm.POINTS)
    with pytest.raises(InputError, match="got 2: PJM-RTO with 51217, WESTERN HUB with 51288") as caught:
        read_text(tmp_path, text)
    assert "\n" not in str(caught.value)
    with pytest.raises(InputError, match=r"expected a point that the file has, got 'WESTERN' \(did you mean WESTERN H"):
        read_text(tmp_path, text, {"point": "WESTERN"})
    hub = read_text(tmp_path, text, {"point": "WESTERN HUB"})
    assert hub.intervals.values.min() > 800
    assert (read_text(tmp_path, text, {"pnode_id": "51288"}).intervals.values == hub.intervals.values).all()


def test_a_missing_row_stays_missing(tmp_path):
    five_minutes = list(steps(*AUTUMN, 5))
    feed = read_text(tmp_path, pjm.text(pjm.REAL_TIME, five_minutes[:30] + five_minutes[32:]))
    assert feed.intervals.missing == 2
    assert len(differences(feed, *AUTUMN)) == 1


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("11/2/2025 4:00:00 AM", "11/2/2025 14:00:00 AM",
         "line 2: datetime_beginning_utc: expected a time of day from 00:00 to 24:00, got '14:00:00 AM'"),
        ("11/2/2025 4:00:00 AM", "2.11.2025 4:00:00 AM",
         "line 2: datetime_beginning_utc: expected a date as MM/DD/YYYY or YYYY-MM-DD, got '2.11.2025'"),
        ("True,1", "maybe,1", "line 2: row_is_current: expected true or false, got 'maybe'"),
        ("True,1", "True,one", "line 2: version_nbr: expected a whole number from 0 to 999999, got 'one'"),
        ("33.780000", "33,78", "line 2: row: expected 14 cells, as in the heading, got 15"),
        ("33.780000", "$33.78", "line 2: total_lmp_da: expected a number with a decimal point, got '$33.78'"),
    ],
)  # fmt: skip
def test_a_faulty_cell_is_refused_by_line_and_column(tmp_path, old, new, message):
    text = pjm.text(pjm.DAY_AHEAD, steps(*AUTUMN)).replace(old, new, 1)
    with pytest.raises(InputError) as caught:
        read_text(tmp_path, text)
    assert str(caught.value) == f"{tmp_path}/file.csv: {message}"


def test_an_answer_with_an_odd_item_is_refused(tmp_path):
    document = json.loads(pjm.answer(pjm.REAL_TIME, steps(*AUTUMN)))
    document["items"][3] = {"pnode_id": 1}
    with pytest.raises(InputError, match="items: number 4: expected an object with the keys of the first one, got"):
        read_text(tmp_path, json.dumps(document))
    document["items"] = []
    with pytest.raises(InputError, match="expected the JSON of a known feed, got an object with 'links', 'items'"):
        read_text(tmp_path, json.dumps(document))


def test_an_unknown_column_names_the_nearest_feed(tmp_path):
    text = pjm.text(pjm.DAY_AHEAD, steps(*AUTUMN)).replace("total_lmp_da", "lmp_da")
    with pytest.raises(InputError, match=r"nearest: pjm-da, where this file lacks 'total_lmp_da' and adds 'lmp_da'"):
        read_text(tmp_path, text)
