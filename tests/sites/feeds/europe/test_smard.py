"""SMARD's exports: one column for each area, decimal commas, points for thousands."""

import math

import pytest
from doubles.feeds.europe import market, smard
from doubles.feeds.reading import read_text

from hardware_profiles.errors import InputError

DAY = market.days((2026, 9, 1), minutes=15)
HOURS = market.days((2026, 9, 1))
EMPTY = [step._replace(price="-") for step in DAY]


def refusal(folder, text, choices=None):
    with pytest.raises(InputError) as caught:
        read_text(folder, text, choices)
    assert "\n" not in str(caught.value)
    return str(caught.value).removeprefix(f"{folder}/file.csv: ")


def test_the_heading_of_the_source_is_read(tmp_path):
    text = (
        "\ufeffDatum von;Datum bis;Deutschland/Luxemburg [€/MWh] Originalauflösungen\r\n"
        "01.09.2026 00:15;01.09.2026 00:30;1.085,12\r\n"
    )
    feed = read_text(tmp_path, text)
    assert (feed.unit, feed.intervals.values.tolist()) == ("EUR/MWh", [1085.12])
    assert feed.intervals.resolutions == {900: 1}


@pytest.mark.parametrize("write", [smard.new, smard.old, smard.english])
def test_columns_are_refused_until_an_area_is_chosen(tmp_path, write):
    columns = {smard.GERMANY: DAY, "Norwegen 2": EMPTY, "∅ Anrainer DE/LU": DAY[::-1]}
    columns["∅ Anrainer DE/LU"] = [step._replace(price=1.0) for step in DAY]
    text = write(columns)
    assert refusal(tmp_path, text) == (
        "expected one area, got 3: Deutschland/Luxemburg, Norwegen 2, ∅ Anrainer DE/LU (choose with area=NAME)"
    )
    feed = read_text(tmp_path, text, {"area": smard.GERMANY})
    assert feed.intervals.values.tolist() == [step.price for step in DAY]
    empty = read_text(tmp_path, text, {"area": "Norwegen 2"})
    assert all(math.isnan(value) for value in empty.intervals.values)
    assert empty.intervals.missing == 96


def test_a_name_that_is_nearly_right_is_answered_with_the_right_one(tmp_path):
    text = smard.new({smard.GERMANY: DAY, "Norwegen 2": EMPTY})
    assert refusal(tmp_path, text, {"area": "Deutschland"}) == (
        "expected an area that the file has, got 'Deutschland' (did you mean Deutschland/Luxemburg?)"
    )


def test_points_stand_between_thousands(tmp_path):
    steps = [step._replace(price=price) for step, price in zip(DAY, (2325.83, -1500.5, 0.07), strict=False)]
    for write in (smard.new, smard.old, smard.english):
        assert read_text(tmp_path, write({smard.GERMANY: steps})).intervals.values.tolist() == [2325.83, -1500.5, 0.07]


def test_a_decimal_point_is_refused(tmp_path):
    text = smard.new({smard.GERMANY: [DAY[0]._replace(price="85.12")]})
    assert refusal(tmp_path, text) == (
        "line 2: Deutschland/Luxemburg [€/MWh] Originalauflösungen: expected a number with a decimal comma, got '85.12'"
    )


def test_prices_of_whole_days_are_refused(tmp_path):
    day = [HOURS[0]._replace(end_s=HOURS[-1].end_s)]
    assert refusal(tmp_path, smard.new({smard.GERMANY: day}, "Berechnete Auflösungen")) == (
        "line 2: Datum bis: expected a period of at most an hour, got '86400 s'"
    )


def test_a_file_of_generation_is_not_taken_for_prices(tmp_path):
    text = smard.new({smard.GERMANY: DAY}).replace("[€/MWh]".encode(), b"[MWh]")
    assert refusal(tmp_path, text).startswith("expected the columns of a known feed, got 'Datum von;Datum bis;")


def test_latin_1_in_place_of_utf_8_is_one_line(tmp_path):
    text = smard.new({smard.GERMANY: DAY}).decode("utf-8-sig").encode("cp1252")
    assert refusal(tmp_path, text).startswith("expected ")
