"""A market file is recognised by the exact names of its columns, and anything else is refused in one line."""

import gzip
import io
import json
import zipfile

import pytest
from doubles.feeds.america import ercot
from doubles.feeds.others import aemo
from doubles.feeds.reading import read_text
from doubles.feeds.truth import steps, time_s

from hardware_profiles.errors import InputError

DAY = time_s("Australia/Brisbane", 2025, 5, 1), time_s("Australia/Brisbane", 2025, 5, 2)
TEXT = aemo.prices(steps(*DAY, 5))


def refusal(folder, text, choices=None, feed=None):
    with pytest.raises(InputError) as caught:
        read_text(folder, text, choices, feed)
    assert "\n" not in str(caught.value)
    return str(caught.value).replace(f"{folder}/", "")


def zipped(*names):
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w", zipfile.ZIP_DEFLATED) as archive:
        for name in names:
            archive.writestr(name, TEXT)
    return data.getvalue()


@pytest.mark.parametrize(
    "data",
    [
        "\ufeff" + TEXT,
        TEXT.replace("\n", "\r\n"),
        TEXT.encode("utf-16"),
        "\n\n" + TEXT,
        zipped("PRICE_AND_DEMAND_202505_SA1.csv"),
        TEXT.replace("REGION,SETTLEMENTDATE", " REGION ,SETTLEMENTDATE\u00a0"),
        "\n".join(",".join(line.split(",")[::-1]) for line in TEXT.splitlines()),
    ],
    ids=["byte order mark", "CR LF", "UTF-16", "blank lines", "zip", "blanks in names", "other order"],
)
def test_the_same_series_is_read_however_the_file_is_wrapped(tmp_path, data):
    plain, wrapped = read_text(tmp_path, TEXT), read_text(tmp_path, data)
    assert wrapped.layout.name == "aemo"
    assert (wrapped.intervals.values == plain.intervals.values).all()
    assert (wrapped.intervals.start_s == plain.intervals.start_s).all()


def test_an_unknown_heading_names_the_nearest_ones_and_the_difference(tmp_path):
    text = "REGION,SETTLEMENTDATE,RRP,PERIODTYPE,FORECAST\nSA1,2025/05/01 00:05:00,1,TRADE,2\n"
    message = refusal(tmp_path, text)
    assert message.startswith("file.csv: expected the columns of a known feed, got 'REGION,SETTLEMENTDATE,RRP,")
    assert "(nearest: aemo, where this file lacks 'TOTALDEMAND' and adds 'FORECAST'" in message


@pytest.mark.parametrize(("mark", "name"), [(";", "semicolon"), ("\t", "tab"), ("|", "vertical bar")])
@pytest.mark.parametrize("feed", [None, "aemo"])
def test_a_known_heading_with_another_separator_names_both(tmp_path, mark, name, feed):
    message = refusal(tmp_path, TEXT.replace(",", mark), feed=feed)
    assert message == (
        f"file.csv: expected the columns of aemo separated by a comma, as downloaded, got them separated by a {name}"
    )


def test_a_column_that_a_heading_has_twice_is_named(tmp_path):
    text = "\n".join(line + "," + line.split(",")[3] for line in TEXT.splitlines())
    assert "(nearest: aemo, where this file has 'RRP' twice" in refusal(tmp_path, text)


def test_a_heading_like_none_says_where_the_known_ones_are_shown(tmp_path):
    message = refusal(tmp_path, "a,b\n1,2\n")
    assert message == (
        "file.csv: expected the columns of a known feed, got 'a,b' (`perwatt feed list` shows what is known)"
    )


def test_a_file_of_another_source_than_the_named_one_is_refused(tmp_path):
    message = refusal(tmp_path, TEXT, feed="ercot-dam")
    assert message == "file.csv: expected the columns of ercot-dam, got those of aemo"


def test_an_unknown_feed_has_near_names(tmp_path):
    message = refusal(tmp_path, TEXT, feed="ercot-dan")
    assert message.startswith(
        "file.csv: feed: expected a feed that `perwatt feed list` shows, got 'ercot-dan' (did you mean ercot-dam, "
    )


@pytest.mark.parametrize(
    ("data", "message"),
    [
        ("", "file.csv: expected a market file, got an empty one"),
        ("\n<!DOCTYPE HTML><title> 429 Slow down </title>",
         "file.csv: expected a market file, got a web page (HTML) with the title '429 Slow down'"),
        ('{"error": "quota"}', "file.csv: expected the JSON of a known feed, got an object with 'error'"),
        ('{"fields": ["a"', "file.csv: expected the JSON of a market file, got a corrupt file: Expecting ',' del"),
        ("<a><b></a>", "file.csv: expected XML, got a damaged file: mismatched tag: line 1, column 8"),
        ('<?xml version="1.0" encoding="UTF-80"?><a/>', "file.csv: expected XML in UTF-8, got the encoding 'UTF-80'"),
        ('<!DOCTYPE a [<!ENTITY b "c">]><a/>',
         "file.csv: expected XML in UTF-8 without a document type, got one with it"),
        ("<a/>", "file.csv: expected the XML of a known feed, got the element 'a'"),
        (TEXT[:-20],
         "file.csv: line 289: row: expected 5 cells, as in the heading, got 2 in the last row (a truncated download?)"),
        (TEXT.split("\n")[0] + "\n", "file.csv: expected rows under the heading, got no row"),
        (TEXT.replace("00:10:00", "00:10\0:00"), "file.csv: line 3: expected text, got a NUL byte"),
        (TEXT.replace("00:10:00", "caf\u00e9").encode("latin-1"),
         "file.csv: line 3: expected UTF-8 text, got byte 0xe9"),
        (zipped("__MACOSX/a.csv"), "file.csv: expected a zip archive of 1 to 10000 files, got 0"),
        (zipped("a.csv")[:-30],
         "file.csv: expected a whole zip archive, got File is not a zip file (a truncated download?)"),
        ("\n \r\n\n", "file.csv: expected a market file, got one of blanks only"),
        (gzip.compress(TEXT.encode()), "file.csv: expected a market file, got a gzip archive: unpack it"),
        (b"PK\x05\x06" + b"\0" * 18, "file.csv: expected a market file, got an empty zip archive"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 504,
         "file.csv: expected a market file, got an old Excel workbook (.xls): save it as .xlsx or CSV"),
        (b"%PDF-1.7\n%\xe2\xe3", "file.csv: expected a market file, got a PDF document"),
        (b"PAR1\x15\x04", "file.csv: expected a market file, got a Parquet file: save it as CSV"),
        (TEXT.encode("utf-16-le"),
         "file.csv: expected a market file, got UTF-16 text without a byte order mark: save it as UTF-8"),
        (TEXT.encode("utf-16-be"),
         "file.csv: expected a market file, got UTF-16 text without a byte order mark: save it as UTF-8"),
    ],
)  # fmt: skip
def test_what_is_not_a_whole_market_file_is_refused(tmp_path, data, message):
    assert refusal(tmp_path, data).startswith(message)


def test_fields_without_rows_are_refused(tmp_path):
    text = json.loads(ercot.day_ahead_json(steps(*DAY)))
    text["data"] = {"message": "Too many requests"}
    message = refusal(tmp_path, json.dumps(text))
    assert message == "file.csv: key data: expected a list of rows, got {'message': 'Too many requests'}"
