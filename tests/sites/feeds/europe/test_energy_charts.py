"""Exports of Energy-Charts: the row of units is checked, columns are chosen, and a missing quarter stays missing."""

import math

import pytest
from doubles.feeds.europe import energy_charts, market
from doubles.feeds.reading import read_text

from hardware_profiles.errors import InputError

QUARTERS = market.days((2025, 10, 2), minutes=15)
HOURS = market.days((2025, 5, 1))
GERMANY, SWITZERLAND = energy_charts.GERMANY, "Day Ahead Auktion (CH)"


def refusal(folder, text, choices=None):
    with pytest.raises(InputError) as caught:
        read_text(folder, text, choices)
    assert "\n" not in str(caught.value)
    return str(caught.value).removeprefix(f"{folder}/file.csv: ")


@pytest.mark.parametrize("time", ["Datum (GMT+1)", "Datum (MEZ)", "Date (GMT+1)", "Datum (UTC)"])
def test_times_with_an_offset_are_read_whatever_the_heading_says(tmp_path, time):
    feed = read_text(tmp_path, energy_charts.commas({GERMANY: HOURS}, time))
    assert feed.intervals.start_s.tolist() == [step.start_s for step in HOURS]


def test_other_columns_are_left_out_and_areas_are_chosen(tmp_path):
    columns = {"Last": HOURS, GERMANY: HOURS, SWITZERLAND: [step._replace(price=3.0) for step in HOURS]}
    units = {"Last": "Leistung (MW)", GERMANY: energy_charts.UNIT, SWITZERLAND: energy_charts.UNIT}
    text = energy_charts.commas(columns, units=units)
    assert refusal(tmp_path, text) == "expected one area, got 2: DE-LU, CH (choose with area=NAME)"
    assert read_text(tmp_path, text, {"area": "CH"}).intervals.values.tolist() == [3.0] * 24


def test_another_unit_is_refused(tmp_path):
    text = energy_charts.commas({GERMANY: HOURS}, units={GERMANY: "Preis (ct/kWh)"})
    assert refusal(tmp_path, text) == (
        "line 2: Day Ahead Auktion (DE-LU): expected a price in EUR/MWh by the row of units, got 'Preis (ct/kWh)'"
    )


def test_quarters_that_are_absent_are_missing(tmp_path):
    lines = energy_charts.commas({GERMANY: QUARTERS}).decode().splitlines(keepends=True)
    absent = {9, 10, 11, 21, 30, 32}  # three of one hour, which has its first only, then one, then two
    text = "".join([*lines[:2], *(line for i, line in enumerate(lines[2:]) if i not in absent)])
    intervals = read_text(tmp_path, text).intervals
    assert intervals.resolutions == {900: 90}
    assert intervals.missing == 6


def test_an_empty_price_is_missing(tmp_path):
    steps = [step._replace(price="" if i == 5 else step.price) for i, step in enumerate(HOURS)]
    for write in (energy_charts.commas, energy_charts.semicolons):
        assert [math.isnan(value) for value in read_text(tmp_path, write({GERMANY: steps})).intervals.values] == [
            i == 5 for i in range(24)
        ]


def test_times_between_quarters_are_refused(tmp_path):
    text = energy_charts.commas({GERMANY: HOURS}).replace(b"T03:00", b"T03:07")
    assert refusal(tmp_path, text) == "line 7: Datum (GMT+1): expected times at whole quarters of an hour, got 7"


def test_a_time_that_is_no_time_is_refused(tmp_path):
    text = energy_charts.commas({GERMANY: HOURS}).replace(b"2025-05-01T03:00+02:00", b"2025-05-01T03:00")
    assert refusal(tmp_path, text) == (
        "line 6: Datum (GMT+1): expected an ISO 8601 time with an offset, got '2025-05-01T03:00'"
    )
