"""ENTSO-E's exports: areas and auctions are chosen, revisions counted, currencies read, and missing prices stay."""

import math

import pytest
from doubles.feeds.europe import entsoe, market
from doubles.feeds.reading import read_text

from hardware_profiles.errors import InputError

DAY = market.days((2025, 10, 1), minutes=15)
OTHER = [step._replace(price=round(step.price + 5, 2)) for step in DAY]


def refusal(folder, text, choices=None, feed=None):
    with pytest.raises(InputError) as caught:
        read_text(folder, text, choices, feed)
    assert "\n" not in str(caught.value)
    return str(caught.value).removeprefix(f"{folder}/file.csv: ")


def test_two_auctions_are_refused_until_one_is_chosen(tmp_path):
    text = entsoe.web(("BZN|DE-LU", "Sequence 1", DAY), ("BZN|DE-LU", "Sequence 2", OTHER))
    assert refusal(tmp_path, text) == ("expected one sequence, got 2: 1, 2 (choose with sequence=NAME)")
    for sequence, steps in (("1", DAY), ("2", OTHER)):
        feed = read_text(tmp_path, text, {"sequence": sequence})
        assert feed.intervals.values.tolist() == [step.price for step in steps]


def test_an_auction_whose_name_changes_within_the_file_is_chosen_by_both_names(tmp_path):
    parts = (("BZN|FR", "Without Sequence", DAY[:10]), ("BZN|FR", "Sequence 1", DAY[10:]))
    text = entsoe.web(*parts, ("BZN|FR", "Sequence 2", OTHER[10:]))
    assert refusal(tmp_path, text).startswith("expected one sequence, got 3: Without Sequence, 1, 2 (choose")
    feed = read_text(tmp_path, text, {"sequence": "Without Sequence or 1"})
    assert feed.intervals.values.tolist() == [step.price for step in DAY]
    message = refusal(tmp_path, text, {"sequence": "1 or 2"})
    assert message.startswith("expected one value of the interval from ")


def test_an_auction_has_one_name_in_all_layouts(tmp_path):
    for written, name in (
        ("Sequence 1", "1"),
        ("1", "1"),
        ("Without Sequence", "Without Sequence"),
        ("", "Without Sequence"),
    ):
        for text in (entsoe.web(("FR", written, DAY)), entsoe.library(("FR", "BZN", written, "EUR", DAY))):
            assert read_text(tmp_path, text, {"sequence": name}).chosen["sequence"] == name
    assert read_text(tmp_path, entsoe.older("BZN|FR", DAY)).chosen["sequence"] == "Without Sequence"


def test_areas_are_listed_ten_at_most_and_near_names_are_shown(tmp_path):
    text = entsoe.web(*((f"BZN|NO{i}", entsoe.WITHOUT, DAY[:2]) for i in range(1, 13)))
    assert refusal(tmp_path, text).startswith("expected one area, got 12: BZN|NO1, BZN|NO2, ")
    assert "BZN|NO10 and 2 more (choose with area=NAME)" in refusal(tmp_path, text)
    assert refusal(tmp_path, text, {"area": "NO1"}) == (
        "expected an area that the file has, got 'NO1' (did you mean BZN|NO1?)"
    )


def test_missing_prices_stay_missing(tmp_path):
    marks = ["-", "n/e", "", "N/A"]
    steps = [step._replace(price=mark) for step, mark in zip(DAY, marks, strict=False)] + DAY[4:]
    for text in (
        entsoe.web(("BZN|FR", entsoe.WITHOUT, steps)),
        entsoe.older("BZN|FR", steps),
        entsoe.library(("FR", "BZN", "", "EUR", steps)),
    ):
        feed = read_text(tmp_path, text)
        assert [math.isnan(value) for value in feed.intervals.values] == [True] * 4 + [False] * 92
        assert feed.intervals.missing == 4


def test_a_row_that_is_absent_is_missing(tmp_path):
    feed = read_text(tmp_path, entsoe.web(("BZN|FR", entsoe.WITHOUT, DAY[:5] + DAY[8:])))
    assert feed.intervals.missing == 3


def test_negative_prices_and_caps_stay(tmp_path):
    steps = [step._replace(price=price) for step, price in zip(DAY, (-500.0, 4000.0, 0.0), strict=False)]
    feed = read_text(tmp_path, entsoe.web(("BZN|FR", entsoe.WITHOUT, steps)))
    assert feed.intervals.values.tolist() == [-500, 4000, 0]


@pytest.mark.parametrize("currency", ["GBP", "PLN"])
def test_the_currency_is_that_of_the_file(tmp_path, currency):
    assert read_text(tmp_path, entsoe.web(("A", "", DAY), currency=currency)).unit == f"{currency}/MWh"
    assert read_text(tmp_path, entsoe.library(("A", "BZN", "", currency, DAY))).unit == f"{currency}/MWh"


def test_a_row_of_another_currency_than_the_heading_is_refused(tmp_path):
    text = entsoe.older("BZN|GB", DAY).replace(b'"EUR"', b'"GBP"')
    assert refusal(tmp_path, text) == "line 2: Currency: expected EUR, as in the heading, got 'GBP'"


def test_the_last_update_of_the_library_counts_and_the_others_are_revised(tmp_path):
    revised = [step.start_s for step in DAY[10:13]]
    feed = read_text(tmp_path, entsoe.library(("FR", "BZN", "", "EUR", DAY), revised=revised))
    assert feed.intervals.values.tolist() == [step.price for step in DAY]
    assert (feed.intervals.revised, feed.intervals.doubled) == (3, 0)


def test_areas_of_the_library_are_listed_although_their_currencies_differ(tmp_path):
    text = entsoe.library(("FR", "BZN", "", "EUR", DAY), ("FR", "CTY", "", "EUR", DAY), ("UA", "BZN", "", "UAH", DAY))
    assert refusal(tmp_path, text) == (
        "expected one area and area_type, got 3: FR with BZN, FR with CTY, UA with BZN "
        "(choose with area=NAME area_type=NAME)"
    )
    assert read_text(tmp_path, text, {"area": "UA"}).unit == "UAH/MWh"


def test_two_currencies_of_one_series_are_refused(tmp_path):
    text = entsoe.library(("FR", "BZN", "", "EUR", DAY[:2]), ("FR", "BZN", "", "PLN", DAY[2:]))
    assert refusal(tmp_path, text) == "expected one unit, got 'EUR/MWh' and 'PLN/MWh'"


def test_an_unknown_resolution_is_refused(tmp_path):
    text = entsoe.library(("FR", "BZN", "", "EUR", DAY[:1])).replace(b"PT15M", b"P1D")
    assert refusal(tmp_path, text) == "line 2: ResolutionCode: expected PT15M, PT30M, PT60M, got 'P1D'"


def test_an_auction_in_hours_and_one_in_quarters_do_not_mix(tmp_path):
    hours = market.days((2025, 10, 1))
    text = entsoe.web(("BZN|FR", "Sequence 1", hours), ("BZN|FR", "Sequence 1", DAY), clock=entsoe.UTC)
    assert refusal(tmp_path, text).startswith("expected intervals one after the other, got 2025-09-30T22:00Z to ")


def test_rows_of_the_intraday_market_alone_are_left_out(tmp_path):
    intraday = '"","BZN|FR","IDA1","","01/10/2025 00:00:00 - 01/10/2025 00:15:00","55.10"\n'
    feed = read_text(tmp_path, entsoe.web(("BZN|FR", entsoe.WITHOUT, DAY)) + intraday.encode())
    assert (feed.chosen["sequence"], len(feed.intervals.values)) == (entsoe.WITHOUT, 96)


def test_the_first_layout_of_the_platform_has_two_columns_and_an_empty_spring_hour(tmp_path):
    days = market.days((2019, 3, 31), (2019, 10, 27))
    lines = entsoe.older("BZN|BE", days, gap=True).decode().splitlines()
    rows = [",".join(line.split(",")[:2]) for line in lines[1:]]
    feed = read_text(tmp_path, "\n".join(['"MTU (CET)","Day-ahead Price [EUR/MWh]"', *rows]))
    assert feed.layout.name == "entsoe-cet"
    assert feed.intervals.start_s.tolist() == [step.start_s for step in days]
    assert feed.intervals.values.tolist() == [step.price for step in days]


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        (b"01/10/2025 00:15:00 - ", b"10/01/2025 00:15:00 ~ ", "expected DD/MM/YYYY HH:MM - DD/MM/YYYY HH:MM, got "),
        (b"01/10/2025 00:15:00 - ", b"31/02/2025 00:15:00 - ", "expected a date as DD/MM/YYYY or DD.MM.YYYY, got "),
        (b"00:15:00 - 01/10/2025 00:30", b"00:15:00 - 01/10/2025 04:30", "expected a period of at most an hour, got "),
        (b"00:15:00 - ", b"00:15:99 - ", "expected a time of day from 00:00 to 24:00, got "),
    ],
)
def test_a_faulty_period_is_one_line(tmp_path, old, new, message):
    text = entsoe.web(("BZN|FR", entsoe.WITHOUT, DAY)).replace(old, new)
    assert refusal(tmp_path, text).startswith(f"line 3: MTU (CET/CEST): {message}")


def test_a_mark_or_an_end_before_the_start_is_refused_in_utc(tmp_path):
    text = entsoe.web(("BZN|FR", entsoe.WITHOUT, DAY[:1]), clock=entsoe.UTC)
    for old, new in ((b":00 - ", b":00 (CET) - "), (b"- 30/09", b"- 29/09")):
        assert refusal(tmp_path, text.replace(old, new)).startswith(
            "line 2: MTU (UTC): expected a period in UTC whose end follows its start, got "
        )


def test_a_decimal_comma_is_not_guessed(tmp_path):
    text = entsoe.web(("BZN|FR", entsoe.WITHOUT, [DAY[0]._replace(price="65,74")]))
    assert refusal(tmp_path, text) == (
        "line 2: Day-ahead Price (EUR/MWh): expected a number with a decimal point, got '65,74'"
    )
