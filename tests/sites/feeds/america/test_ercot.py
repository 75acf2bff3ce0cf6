"""Prices of ERCOT are read from each layout to the hourly truth."""

import datetime as dt
import io
import json
import random
import sys
import zipfile

import pytest
from doubles.feeds.america import ercot
from doubles.feeds.reading import differences, read_text
from doubles.feeds.truth import price, steps, time_s, year
from doubles.feeds.workbook import workbook

from hardware_profiles.errors import InputError
from sites.feeds.files.workbook import _text

AUTUMN_DAY = time_s(ercot.ZONE, 2025, 11, 2), time_s(ercot.ZONE, 2025, 11, 3)


def test_a_year_of_day_ahead_prices_is_the_truth(tmp_path):
    text = ercot.day_ahead(steps(*year(ercot.ZONE)))
    feed = read_text(tmp_path, text, {"point": "HB_HOUSTON"})
    assert (feed.layout.name, feed.unit, feed.chosen) == ("ercot-dam", "USD/MWh", {"point": "HB_HOUSTON"})
    assert not differences(feed, *year(ercot.ZONE))
    assert (feed.intervals.missing, feed.intervals.doubled) == (0, 0)


def test_another_point_has_its_own_prices(tmp_path):
    first = read_text(tmp_path, ercot.day_ahead(steps(*AUTUMN_DAY)), {"point": "HB_HOUSTON"})
    second = read_text(tmp_path, ercot.day_ahead(steps(*AUTUMN_DAY)), {"point": "HB_WEST"})
    assert second.intervals.values == pytest.approx(first.intervals.values + 1000)


def test_the_flag_marks_the_second_of_two_hours_whatever_the_order(tmp_path):
    text = ercot.day_ahead_json(steps(*AUTUMN_DAY))
    assert text.index("true") < text.index('"02:00", "HB_HUBAVG", ', text.index("true"))
    feed = read_text(tmp_path, text)
    assert len(feed.intervals.values) == 25
    assert not differences(feed, *AUTUMN_DAY)


def test_a_year_of_quarter_hours_is_the_truth(tmp_path):
    span = year(ercot.ZONE)
    feed = read_text(tmp_path, ercot.real_time(steps(*span, 15)))
    assert (feed.layout.name, feed.chosen) == ("ercot-rtm", {"point": "LZ_WEST", "type": "LZ"})
    assert feed.intervals.resolutions == {900: 35_040}
    assert not differences(feed, *span)


def test_a_load_zone_of_two_types_must_be_chosen(tmp_path):
    text = ercot.real_time(steps(*AUTUMN_DAY, 15), (("LZ_WEST", "LZ"), ("LZ_WEST", "LZEW")))
    with pytest.raises(InputError, match=r"expected one type, got 2: LZ, LZEW \(choose with type=NAME\)"):
        read_text(tmp_path, text, {"point": "LZ_WEST"})
    assert not differences(read_text(tmp_path, text, {"type": "LZ"}), *AUTUMN_DAY)


def test_a_yearly_workbook_of_day_ahead_prices_is_the_truth(tmp_path):
    span = year(ercot.ZONE)
    feed = read_text(tmp_path, ercot.day_ahead_workbook(steps(*span)), name="year.xlsx")
    assert (feed.layout.name, feed.chosen) == ("ercot-dam", {"point": "HB_BUSAVG"})
    assert not differences(feed, *span)


def test_a_workbook_of_quarter_hours_is_the_truth(tmp_path):
    span = time_s(ercot.ZONE, 2025, 10, 30), time_s(ercot.ZONE, 2025, 11, 4)
    feed = read_text(tmp_path, ercot.real_time_workbook(steps(*span, 15)), name="year.xlsx")
    assert feed.layout.name == "ercot-rtm"
    assert not differences(feed, *span)


def test_a_workbook_in_an_archive_is_read(tmp_path):
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("rpt.00013060.DAMLZHBSPP_2025.xlsx", ercot.day_ahead_workbook(steps(*AUTUMN_DAY)))
    feed = read_text(tmp_path, data.getvalue(), name="rpt.00013060.zip")
    assert not differences(feed, *AUTUMN_DAY)


def test_an_archive_in_an_archive_is_refused(tmp_path):
    inner, outer = io.BytesIO(), io.BytesIO()
    with zipfile.ZipFile(inner, "w") as archive:
        archive.writestr("a.csv", ercot.day_ahead(steps(*AUTUMN_DAY)))
    with zipfile.ZipFile(outer, "w") as archive:
        archive.writestr("inner.zip", inner.getvalue())
    with pytest.raises(InputError, match="expected a table in the archive, got another archive: unpack it"):
        read_text(tmp_path, outer.getvalue(), name="outer.zip")


def test_the_answer_of_the_api_with_named_fields_is_read(tmp_path):
    answer = json.loads(ercot.day_ahead_json(steps(*AUTUMN_DAY)))
    answer["fields"] = [{"name": name, "dataType": "VARCHAR"} for name in answer["fields"]]
    feed = read_text(tmp_path, json.dumps({"_meta": {"totalPages": 1}, **answer}))
    assert not differences(feed, *AUTUMN_DAY)


def test_a_cell_of_a_sheet_is_what_a_csv_file_has():
    day = dt.datetime.fromisoformat("2025-01-02")
    cells = (1.0, 0.5, True, day, day.replace(hour=3), day.date())
    texts = ["1", "0.5", "true", "2025-01-02", "2025-01-02 03:00:00", "2025-01-02"]
    assert [_text(cell) for cell in cells] == texts
    assert [_text(dt.timedelta(days=1)), _text(dt.time(1, 30))] == ["24:00:00", "01:30:00"]


def test_a_fault_in_a_workbook_is_named_by_sheet_and_row(tmp_path):
    book = workbook({"Jan": [ercot.DAY_AHEAD_SHEET, ("01/01/2025", "01:00", "N", "HB_WEST", "n.a.")]})
    with pytest.raises(InputError, match=r"year.xlsx: sheet 'Jan': row 2: Settlement Point Price: expected a number"):
        read_text(tmp_path, book, name="year.xlsx")


def test_a_workbook_without_its_reader_says_how_to_install_it(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "python_calamine", None)
    with pytest.raises(InputError, match=r"pip install 'perwatt\[feeds\]', or save each sheet as CSV"):
        read_text(tmp_path, ercot.day_ahead_workbook(steps(*AUTUMN_DAY)), name="year.xlsx")


def test_a_damaged_workbook_is_refused(tmp_path):
    whole = workbook({"Jan": [ercot.DAY_AHEAD_SHEET]})
    damaged = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(whole)) as parts, zipfile.ZipFile(damaged, "w") as archive:
        for name in parts.namelist():
            archive.writestr(name, parts.read(name)[: -100 if "sheet1" in name else None])
    with pytest.raises(InputError, match=r"year.xlsx: expected an xlsx workbook, got a damaged one"):
        read_text(tmp_path, damaged.getvalue(), name="year.xlsx")
    with pytest.raises(InputError, match=r"year.xlsx: expected a whole zip archive, .*a truncated download"):
        read_text(tmp_path, ercot.day_ahead_workbook(steps(*AUTUMN_DAY))[:-30], name="year.xlsx")


@pytest.mark.parametrize(("heading", "name"), [(ercot.SCED, "ercot-sced"), (ercot.LAMBDA, "ercot-lambda")])
def test_a_run_of_the_dispatch_holds_until_the_next_one(tmp_path, heading, name):
    text = ercot.runs(steps(*AUTUMN_DAY, 5), heading)
    feed = read_text(tmp_path, text)
    assert feed.layout.name == name
    assert len(feed.intervals.values) == 300
    assert feed.intervals.missing == 0
    start_s = AUTUMN_DAY[0] + 11
    means = feed.intervals.to_steps(start_s, 25)
    assert means == pytest.approx([price(start_s + 3600 * at) for at in range(25)])


def test_runs_far_apart_leave_a_gap(tmp_path):
    lines = ercot.runs(steps(*AUTUMN_DAY, 5)).splitlines()
    feed = read_text(tmp_path, "\n".join([lines[0], *lines[-1:4:-1], lines[1]]))
    assert feed.intervals.missing == 3


def test_rows_in_any_order_are_the_same_series(tmp_path):
    heading, *rows = ercot.day_ahead(steps(*AUTUMN_DAY)).splitlines()
    for seed in range(5):
        random.Random(seed).shuffle(rows)
        feed = read_text(tmp_path, "\n".join([heading, *rows]), {"point": "HB_HOUSTON"})
        assert not differences(feed, *AUTUMN_DAY)


def test_the_short_day_of_spring_has_no_hole(tmp_path):
    span = time_s(ercot.ZONE, 2025, 3, 9), time_s(ercot.ZONE, 2025, 3, 10)
    feed = read_text(tmp_path, ercot.day_ahead(steps(*span)), {"point": "LZ_WEST"})
    assert (len(feed.intervals.values), feed.intervals.missing) == (23, 0)


@pytest.mark.parametrize(
    "heading",
    [
        "DeliveryDate,HourEnding,SettlementPoint,SettlementPointPrice,DSTFlag    ",
        "Delivery Date,Hour Ending,Settlement Point,Settlement Point Price,Repeated Hour Flag",
        "\ufeffdeliveryDate,hourEnding,settlementPoint,settlementPointPrice,DSTFlag",
    ],
)
def test_known_spellings_of_the_columns_are_read(tmp_path, heading):
    text = ercot.day_ahead(steps(*AUTUMN_DAY)).replace(ercot.DAY_AHEAD, heading)
    assert not differences(read_text(tmp_path, text, {"point": "HB_HOUSTON"}), *AUTUMN_DAY)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        (
            "05:00,HB_HOUSTON",
            "25:00,HB_HOUSTON",
            "line 17: hour: expected a time of day from 00:00 to 24:00, got '25:00'",
        ),
        (
            "11/02/2025,24:00",
            "2.11.2025,24:00",
            "line 74: date: expected a date as MM/DD/YYYY or YYYY-MM-DD, got '2.11.2025'",
        ),
        (",Y\n", ",X\n", "line 8: DSTFlag: expected Y or N, got 'X'"),
        (",Y\n", ",N\n", "expected one value of the interval from 2025-11-02T06:00Z, got"),
    ],
)
def test_a_faulty_cell_is_refused_by_line_and_column(tmp_path, old, new, message):
    text = ercot.day_ahead(steps(*AUTUMN_DAY)).replace(old, new)
    with pytest.raises(InputError, match=message.replace("(", r"\(")):
        read_text(tmp_path, text, {"point": "HB_HOUSTON"})


def test_a_flag_on_an_hour_that_is_not_repeated_is_refused(tmp_path):
    text = ercot.day_ahead(steps(*AUTUMN_DAY)).replace("24:00,HB_WEST, ", "24:00,HB_WEST,").replace(",N\n", ",Y\n")
    with pytest.raises(InputError, match="line 2: hour: expected a flag only on the second of two equal hours"):
        read_text(tmp_path, text, {"point": "HB_HOUSTON"})
