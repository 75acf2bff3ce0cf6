"""ENTSO-E's XML documents: points that A03 leaves out are repeats, those that A01 leaves out are missing."""

import pytest
from doubles.feeds.europe import entsoe_xml, market
from doubles.feeds.reading import read_text
from doubles.feeds.truth import Step
from hypothesis import given
from hypothesis import strategies as st

from hardware_profiles.errors import InputError

FRANCE = entsoe_xml.FRANCE
DAY = market.days((2025, 10, 1), minutes=15)
FLAT = [step._replace(price=DAY[i - i % 4].price) for i, step in enumerate(DAY)]
HOURS = market.days((2025, 10, 1))


def refusal(folder, text, choices=None):
    with pytest.raises(InputError) as caught:
        read_text(folder, text, choices)
    assert "\n" not in str(caught.value)
    return str(caught.value).removeprefix(f"{folder}/file.csv: ")


def test_every_fourth_point_of_a_curve_of_type_a03_is_a_whole_day(tmp_path):
    text = entsoe_xml.prices((FRANCE, 1, FLAT))
    assert text.count(b"<Point>") == 24
    feed = read_text(tmp_path, text)
    assert feed.intervals.values.tolist() == [step.price for step in FLAT]
    assert feed.intervals.missing == 0


def test_every_fourth_point_of_a_curve_of_type_a01_leaves_gaps(tmp_path):
    text = entsoe_xml.prices((FRANCE, 1, FLAT)).replace(b"A03", b"A01")
    feed = read_text(tmp_path, text)
    assert len(feed.intervals.values) == 24
    assert feed.intervals.missing == 69  # between the first and the last point


def test_a_curve_that_begins_late_has_no_price_to_repeat(tmp_path):
    text = entsoe_xml.prices((FRANCE, 1, FLAT))
    first = text[text.index(b"<Point>") : text.index(b"</Point>\n") + 9]
    feed = read_text(tmp_path, text.replace(first, b"", 1))
    assert feed.intervals.start_s[0] == FLAT[4].start_s


@given(prices=st.lists(st.integers(-50_000, 400_000).map(lambda cents: cents / 100), min_size=24, max_size=24))
def test_every_curve_is_read_back(tmp_path_factory, prices):
    folder = tmp_path_factory.getbasetemp()
    steps = [step._replace(price=price) for step, price in zip(HOURS, prices, strict=True)]
    for curve in ("A01", "A03"):
        feed = read_text(folder, entsoe_xml.prices((FRANCE, 1, steps), curve=curve))
        assert feed.intervals.values.tolist() == prices


def test_two_auctions_are_refused_until_one_is_chosen(tmp_path):
    text = entsoe_xml.prices((FRANCE, 2, DAY), (FRANCE, 1, HOURS))
    assert refusal(tmp_path, text) == "expected one sequence, got 2: 2, 1 (choose with sequence=NAME)"
    assert read_text(tmp_path, text, {"sequence": "1"}).intervals.resolutions == {3600: 24}


def test_several_areas_are_refused_until_one_is_chosen(tmp_path):
    text = entsoe_xml.prices((FRANCE, 1, HOURS), ("10YBE----------2", 1, HOURS))
    assert "expected one area, got 2" in refusal(tmp_path, text)
    assert read_text(tmp_path, text, {"area": FRANCE}).chosen["area"] == FRANCE


def test_day_ahead_and_intraday_are_two_markets(tmp_path):
    text = entsoe_xml.prices((FRANCE, 1, HOURS), (FRANCE, 1, HOURS))
    contract = b"<contract_MarketAgreement.type>%s</contract_MarketAgreement.type><curveType>"
    for code in (b"A01", b"A07"):
        text = text.replace(b"<curveType>", contract.replace(b"%s", code).replace(b"<curveType>", b"<CurveType>"), 1)
    text = text.replace(b"<CurveType>", b"<curveType>")
    assert refusal(tmp_path, text) == "expected one market, got 2: day-ahead, intraday (choose with market=NAME)"


def test_hours_and_quarters_of_no_stated_auction_do_not_mix(tmp_path):
    text = entsoe_xml.prices((FRANCE, None, DAY), (FRANCE, None, HOURS))
    assert refusal(tmp_path, text).startswith("expected intervals one after the other, got 2025-09-30T22:00Z to ")


def test_an_acknowledgement_in_place_of_prices_is_refused_with_its_reason(tmp_path):
    message = refusal(tmp_path, entsoe_xml.acknowledgement("No matching data"))
    assert message == "Acknowledgement_MarketDocument: expected prices, got 'No matching data'"


def test_the_currency_is_that_of_the_document(tmp_path):
    assert read_text(tmp_path, entsoe_xml.prices((FRANCE, 1, HOURS), currency="PLN")).unit == "PLN/MWh"


def test_the_end_of_a_curve_repeats_to_the_end_of_its_period(tmp_path):
    steps = [Step(step.start_s, step.end_s, 7.5) for step in HOURS]
    assert read_text(tmp_path, entsoe_xml.prices((FRANCE, 1, steps))).intervals.values.tolist() == [7.5] * 24


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        (b"<type>A44", b"<type>A11", "type: expected A44 (prices), got 'A11'"),
        (b">A03<", b">A02<", "curveType: expected A01 or A03, got 'A02'"),
        (b">MWH<", b">KWH<", "price_Measure_Unit.name: expected MWH, got 'KWH'"),
        (b">PT60M<", b">P1D<", "resolution: expected PT15M, PT30M, PT60M, PT1H, got 'P1D'"),
        (b"<position>24<", b"<position>25<", "position: expected a whole number from 1 to 24, got '25'"),
        (b"<position>2<", b"<position>1<", "position: expected each position once, got 1"),
        (b"<end>2025-10-01T22:00Z", b"<end>2025-10-01T21:30Z", "timeInterval: expected whole steps of PT60M, got "),
        (b"<start>2025-09-30T22:00Z", b"<start>2025-09-30T22:00", "start: expected an ISO 8601 time with an offset"),
        (
            b"currency_Unit.name",
            b"currency.name",
            "currency_Unit.name: expected this element in TimeSeries, got nothing",
        ),
        (b"<price.amount>", b"<price.amount>x", "price.amount: expected a number with a decimal point, got 'x"),
        (b"Publication_MarketDocument", b"GL_MarketDocument", "expected the XML of a known feed, got the element "),
    ],
)
def test_what_a_document_must_not_say_is_one_line(tmp_path, old, new, message):
    text = entsoe_xml.prices((FRANCE, 1, HOURS)).replace(old, new)
    assert refusal(tmp_path, text).startswith(message)


def test_a_truncated_document_is_refused(tmp_path):
    assert refusal(tmp_path, entsoe_xml.prices((FRANCE, 1, HOURS))[:-40]).endswith("(a truncated download?)")


def test_entities_are_refused_before_they_grow(tmp_path):
    bomb = b'<?xml version="1.0"?><!DOCTYPE p [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;">]><p>&b;</p>'
    assert "document type" in refusal(tmp_path, bomb)
