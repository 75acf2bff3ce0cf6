"""OMIE's daily files: periods are counted from midnight, and a day has 23 to 25 hours or 92 to 100 quarters."""

from datetime import date

import pytest
from doubles.feeds.europe import market, omie
from doubles.feeds.reading import read_text

from hardware_profiles.errors import InputError

SPAIN = {"area": "ES"}


def day(*parts, minutes=15):
    return market.days(parts, zone=market.MADRID, minutes=minutes)


def refusal(folder, text, choices=SPAIN):
    with pytest.raises(InputError) as caught:
        read_text(folder, text, choices)
    assert "\n" not in str(caught.value)
    return str(caught.value).removeprefix(f"{folder}/file.csv: ")


@pytest.mark.parametrize(
    ("parts", "minutes", "periods"),
    [
        ((2025, 3, 30), 60, 23),
        ((2025, 9, 30), 60, 24),
        ((2024, 10, 27), 60, 25),
        ((2026, 3, 29), 15, 92),
        ((2025, 10, 1), 15, 96),
        ((2025, 10, 26), 15, 100),
    ],
)
def test_days_have_as_many_periods_as_their_clock(tmp_path, parts, minutes, periods):
    steps = day(*parts, minutes=minutes)
    for text in (omie.day(date(*parts), steps, steps), omie.marginal(date(*parts), steps, steps)):
        feed = read_text(tmp_path, text, SPAIN)
        assert feed.intervals.start_s.tolist() == [step.start_s for step in steps]
        assert feed.intervals.values.tolist() == [step.price for step in steps]
        assert len(steps) == periods


@pytest.mark.parametrize("write", [omie.day, omie.marginal])
def test_spain_and_portugal_are_two_areas(tmp_path, write):
    spain = day(2025, 10, 1)
    portugal = [step._replace(price=round(step.price + 1, 2)) for step in spain]
    text = write(date(2025, 10, 1), spain, portugal)
    assert "expected one area, got 2: " in refusal(tmp_path, text, None)
    for area, steps in (("ES", spain), ("PT", portugal)):
        assert read_text(tmp_path, text, {"area": area}).intervals.values.tolist() == [step.price for step in steps]


def test_the_sources_latin_1_and_a_copy_in_utf_8_are_read(tmp_path):
    steps = day(2025, 10, 1)
    text = omie.day(date(2025, 10, 1), steps, steps)
    assert "español".encode("latin-1") in text
    for data in (text, text.decode("latin-1").encode()):
        assert read_text(tmp_path, data, SPAIN).intervals.values.tolist() == [step.price for step in steps]


def test_an_empty_period_is_missing(tmp_path):
    steps = day(2025, 10, 1)
    steps[7] = steps[7]._replace(price="")
    for write in (omie.day, omie.marginal):
        assert read_text(tmp_path, write(date(2025, 10, 1), steps, steps), SPAIN).intervals.missing == 1


def test_empty_columns_after_the_end_of_a_short_day_are_left_out(tmp_path):
    steps = day(2025, 3, 30, minutes=60)
    longer = [*steps, steps[0]._replace(price="")]
    assert len(read_text(tmp_path, omie.day(date(2025, 3, 30), longer, longer), SPAIN).intervals.values) == 23


def test_a_price_after_the_end_of_the_day_is_refused(tmp_path):
    steps = day(2025, 3, 30, minutes=60)
    text = omie.day(date(2025, 3, 30), [*steps, steps[0]], [*steps, steps[0]])
    assert refusal(tmp_path, text).startswith("line 4: period: expected 23 periods on this date, got ")


def test_a_table_without_its_title_has_no_date(tmp_path):
    steps = day(2025, 10, 1)
    text = omie.day(date(2025, 10, 1), steps, steps).split(b"\n", 1)[1]
    assert "title: expected a line with the date" in refusal(tmp_path, text)


def test_a_list_without_its_last_line_is_truncated(tmp_path):
    steps = day(2025, 10, 1)
    text = omie.marginal(date(2025, 10, 1), steps, steps).removesuffix(b"*\n")
    assert "row: expected * at the end of the file" in refusal(tmp_path, text)
    assert "row: expected year;month;day;period;price in Portugal;price in Spain" in refusal(tmp_path, text[:-25])
