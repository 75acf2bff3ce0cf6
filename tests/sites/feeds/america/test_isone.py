"""Prices of ISO New England are read from reports and from the web services to the hourly truth."""

import json

import pytest
from doubles.feeds.america import isone
from doubles.feeds.reading import differences, read_text
from doubles.feeds.truth import steps, time_s, year

from hardware_profiles.errors import InputError

YEAR = year(isone.ZONE)
HOURS = list(steps(*YEAR))
AUTUMN = time_s(isone.ZONE, 2025, 11, 2), time_s(isone.ZONE, 2025, 11, 3)
SPRING = time_s(isone.ZONE, 2025, 3, 9), time_s(isone.ZONE, 2025, 3, 10)
HUB = {"point": ".H.INTERNAL_HUB"}


def test_a_year_of_reports_is_the_truth(tmp_path):
    feed = read_text(tmp_path, isone.report(HOURS), HUB)
    assert (feed.layout.name, feed.unit, feed.chosen) == ("isone", "USD/MWh", {**HUB, "market": "day-ahead"})
    assert (feed.intervals.resolutions, feed.intervals.missing) == ({3600: 8760}, 0)
    assert not differences(feed, *YEAR)


def test_a_year_of_the_web_services_is_the_truth(tmp_path):
    feed = read_text(tmp_path, isone.answer(HOURS), HUB)
    assert (feed.layout.name, feed.chosen) == ("isone-api", HUB)
    assert not differences(feed, *YEAR)


@pytest.mark.parametrize("span", [AUTUMN, SPRING])
@pytest.mark.parametrize(
    "write",
    [
        isone.report,
        lambda found: isone.report(found, title=isone.REAL_TIME),
        lambda found: isone.report(found, title=f"Preliminary {isone.REAL_TIME}", preliminary=True),
        isone.answer,
    ],
    ids=["day-ahead", "real-time", "preliminary", "web services"],
)
def test_days_of_changing_clocks_have_their_hours(tmp_path, span, write):
    text = write(list(steps(*span)))
    feed = read_text(tmp_path, text, HUB)
    assert (len(feed.intervals.values), feed.intervals.missing) == ((span[1] - span[0]) // 3600, 0)
    assert not differences(feed, *span)
    maine = read_text(tmp_path, text, {"point": ".Z.MAINE"})
    assert maine.intervals.values == pytest.approx(feed.intervals.values + 1000)


def test_five_minutes_of_the_web_services_are_the_truth(tmp_path):
    feed = read_text(tmp_path, isone.answer(list(steps(*AUTUMN, 5)), five_minute=True), HUB)
    assert feed.intervals.resolutions == {300: 300}
    assert not differences(feed, *AUTUMN)


def test_the_second_hour_of_autumn_may_stand_anywhere(tmp_path):
    lines = isone.report(steps(*AUTUMN)).split("\r\n")
    lines[6:-2] = lines[6:-2][::-1]
    assert not differences(read_text(tmp_path, "\r\n".join(lines), HUB), *AUTUMN)


def test_the_title_tells_the_market(tmp_path):
    text = isone.report(steps(*AUTUMN), title=isone.REAL_TIME)
    assert read_text(tmp_path, text, HUB).chosen["market"] == "real-time"
    with pytest.raises(InputError, match=r"expected a market that the file has, got 'day-ahead' \(did you mean real-t"):
        read_text(tmp_path, text, {**HUB, "market": "day-ahead"})


def test_an_answer_of_one_hour_is_an_object(tmp_path):
    item = json.loads(isone.answer(HOURS[:1], isone.LOCATIONS[:1]))["HourlyLmps"]["HourlyLmp"][0]
    feed = read_text(tmp_path, json.dumps({"HourlyLmps": {"HourlyLmp": item}}))
    assert feed.intervals.values.tolist() == [HOURS[0].price]


def test_locations_are_chosen(tmp_path):
    text = isone.report(steps(*AUTUMN))
    with pytest.raises(InputError, match=r"expected one point, got 2: \.H\.INTERNAL_HUB, \.Z\.MAINE"):
        read_text(tmp_path, text)
    with pytest.raises(InputError, match=r"got 'MAINE' \(did you mean .Z.MAINE\?\)"):
        read_text(tmp_path, text, {"point": "MAINE"})


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ('"24","4000"', '"25","4000"', "line 55: Hour Ending: expected a whole number from 1 to 24, got '25'"),
        ('"03","4000"', '"03X","4000"',
         "line 13: Hour Ending: expected a flag only on the second of two equal hours, got '2025-11-02 02:00'"),
        (isone.DAY_AHEAD, "Hourly Reserve Zone Prices",
         "the title: expected a Day-Ahead or Real-Time Energy Market Hourly LMP Report, got 'Hourly Reserve Zone Pri"),
        ('"C",', '"X",', "the lines above the heading: expected a title, as in a report of ISO New England, got noth"),
        (",27.93,0.0,0.1\r\n", "\r\n", "line 9: row: expected 10 cells, as in the heading, got 7"),
    ],
)  # fmt: skip
def test_a_faulty_report_is_refused_by_line(tmp_path, old, new, message):
    text = isone.report(steps(*AUTUMN))
    assert old in text
    with pytest.raises(InputError) as caught:
        read_text(tmp_path, text.replace(old, new), HUB)
    assert str(caught.value).startswith(f"{tmp_path}/file.csv: {message}")


@pytest.mark.parametrize(
    ("document", "message"),
    [
        ({"HourlyLmps": ""}, "HourlyLmps: expected an object with HourlyLmp, got ''"),
        ({"HourlyLmps": {"HourlyLmp": [3]}}, "HourlyLmp number 1: expected an object with a Location, got 3"),
        ({"FiveMinLmps": {"FiveMinLmp": [{"Location": {"$": "A"}}]}},
         "FiveMinLmp number 1: BeginDate: expected an ISO 8601 time with an offset, got ''"),
        ({"HourlyLmps": {"HourlyLmp": []}}, "expected rows under the heading, got no row"),
    ],
)  # fmt: skip
def test_a_faulty_answer_is_refused(tmp_path, document, message):
    with pytest.raises(InputError) as caught:
        read_text(tmp_path, json.dumps(document))
    assert str(caught.value) == f"{tmp_path}/file.csv: {message}"
