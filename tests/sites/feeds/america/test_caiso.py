"""Prices of CAISO are read from the five kinds of rows, in any order, to the hourly truth."""

import io
import zipfile

import pytest
from doubles.feeds.america import caiso
from doubles.feeds.reading import differences, read_text
from doubles.feeds.truth import steps, time_s, year

from hardware_profiles.errors import InputError

YEAR = year(caiso.ZONE)
AUTUMN = time_s(caiso.ZONE, 2025, 11, 2), time_s(caiso.ZONE, 2025, 11, 3)
SPRING = time_s(caiso.ZONE, 2025, 3, 9), time_s(caiso.ZONE, 2025, 3, 10)
PRICE = {"LMP_TYPE": "LMP"}


def test_a_year_of_day_ahead_prices_in_any_order_is_the_truth(tmp_path):
    feed = read_text(tmp_path, caiso.text(caiso.DAY_AHEAD, steps(*YEAR), seed=1), PRICE)
    assert (feed.layout.name, feed.unit) == ("caiso-dam", "USD/MWh")
    assert feed.chosen == {"point": "TH_SP15_GEN-APND", "LMP_TYPE": "LMP", "market": "DAM"}
    assert (feed.intervals.resolutions, feed.intervals.missing) == ({3600: 8760}, 0)
    assert not differences(feed, *YEAR)


@pytest.mark.parametrize(
    ("heading", "minutes", "name"),
    [(caiso.FIFTEEN_MINUTE, 15, "caiso-fmm"), (caiso.REAL_TIME, 5, "caiso-rtm")],
)
def test_a_year_of_the_other_markets_is_the_truth(tmp_path, heading, minutes, name):
    feed = read_text(tmp_path, caiso.text(heading, steps(*YEAR, minutes), components=("LMP",)))
    assert (feed.layout.name, feed.intervals.resolutions) == (name, {60 * minutes: 8760 * 60 // minutes})
    assert feed.chosen["market"] == {5: "RTM", 15: "RTPD"}[minutes]
    assert not differences(feed, *YEAR)


@pytest.mark.parametrize(("span", "hours"), [(AUTUMN, 25), (SPRING, 23)])
def test_days_of_changing_clocks_have_their_hours(tmp_path, span, hours):
    text = caiso.text(caiso.DAY_AHEAD, steps(*span))
    assert ("2025-11-02,25," in text) == (hours == 25)
    feed = read_text(tmp_path, text, PRICE)
    assert (len(feed.intervals.values), feed.intervals.missing) == (hours, 0)
    assert not differences(feed, *span)


def test_the_kind_of_price_is_chosen(tmp_path):
    text = caiso.text(caiso.DAY_AHEAD, steps(*AUTUMN))
    with pytest.raises(InputError) as caught:
        read_text(tmp_path, text)
    assert str(caught.value) == (
        f"{tmp_path}/file.csv: expected one LMP_TYPE, got 5: LMP, MCC, MCE, MCL, MGHG (choose with LMP_TYPE=NAME)"
    )
    congestion = read_text(tmp_path, text, {"LMP_TYPE": "MCC"})
    assert congestion.intervals.values == pytest.approx(0.1 * read_text(tmp_path, text, PRICE).intervals.values)


def test_nodes_are_chosen_and_have_their_own_prices(tmp_path):
    text = caiso.text(caiso.DAY_AHEAD, steps(*AUTUMN), nodes=caiso.NODES)
    with pytest.raises(InputError, match="expected one point, got 2: TH_SP15_GEN-APND, TH_NP15_GEN-APND"):
        read_text(tmp_path, text, PRICE)
    with pytest.raises(InputError, match=r"got 'SP15' \(did you mean TH_SP15_GEN-APND"):
        read_text(tmp_path, text, {**PRICE, "point": "SP15"})
    assert read_text(tmp_path, text, {**PRICE, "point": caiso.NODES[1]}).intervals.values.min() > 800


def test_two_runs_of_the_market_in_one_file_are_chosen(tmp_path):
    text = caiso.text(caiso.DAY_AHEAD, steps(*AUTUMN), components=("LMP",))
    text += text.split("\n", 1)[1].replace(",DAM,", ",HASP,")
    with pytest.raises(InputError, match="expected one market, got 2: DAM, HASP"):
        read_text(tmp_path, text)
    assert not differences(read_text(tmp_path, text, {"market": "DAM"}), *AUTUMN)


def test_another_market_under_this_name_is_refused(tmp_path):
    text = caiso.text(caiso.REAL_TIME, steps(*AUTUMN, 5))
    with pytest.raises(InputError, match="expected the columns of caiso-dam, got those of caiso-rtm"):
        read_text(tmp_path, text, PRICE, "caiso-dam")


@pytest.mark.parametrize("text", [caiso.THROTTLED, "CAISO Acceptable Use Policy Violation\n"])
def test_the_text_of_a_throttle_is_one_line(tmp_path, text):
    with pytest.raises(InputError) as caught:
        read_text(tmp_path, text)
    message = str(caught.value)
    assert "\n" not in message
    assert "web page (HTML)" in message or "CAISO Acceptable Use Policy Violation" in message


def test_an_error_document_in_the_archive_is_one_line(tmp_path):
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w") as archive:
        archive.writestr("INVALID_REQUEST.xml", caiso.NO_DATA)
    with pytest.raises(InputError) as caught:
        read_text(tmp_path, data.getvalue(), name="a.zip")
    assert str(caught.value) == (
        f"{tmp_path}/a.zip: expected the XML of a known feed, got the element 'OASISReport' with the text "
        "'CAISO 1000 No data returned for the specified selection'"
    )


@pytest.mark.parametrize(
    ("end", "message"),
    [
        ("2025-11-02T07:00:00-00:00", "expected a time after the start of the interval"),
        ("2025-11-02T08:00:00", "expected an ISO 8601 time with an offset"),
    ],
)
def test_a_faulty_end_is_refused(tmp_path, end, message):
    text = caiso.text(caiso.DAY_AHEAD, steps(*AUTUMN))
    text = text.replace("2025-11-02T07:00:00-00:00,2025-11-02T08:00:00-00:00", f"2025-11-02T07:00:00-00:00,{end}", 1)
    with pytest.raises(InputError, match=f"line 2: INTERVALENDTIME_GMT: {message}, got '{end}'"):
        read_text(tmp_path, text, PRICE)
