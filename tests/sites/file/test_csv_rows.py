"""CSV as spreadsheets and people write it: what is read, and what is asked back."""

import pytest

from hardware_profiles.decoding import decimal
from hardware_profiles.errors import InputError
from hardware_profiles.opening import CSV
from sites.file.csv_rows import csv_rows, parse_rows


def table(text):
    return [row for _, row in parse_rows(text.splitlines(keepends=True), "t.csv")]


def test_blanks_around_headings_and_cells_are_no_part_of_them():
    assert table('when , price\n 2027 ,\t7.5 \n2028, "a, b"\n') == [
        ["when", "price"],
        ["2027", "7.5"],
        ["2028", "a, b"],
    ]


def test_empty_rows_of_a_spreadsheet_are_skipped():
    assert table("a,b\n,\n\n1,2\n , \n") == [["a", "b"], ["1", "2"]]


def test_a_byte_order_mark_is_no_part_of_the_first_heading(tmp_path):
    (tmp_path / "t.csv").write_bytes(b"\xef\xbb\xbfa,b\n1,2\n")
    assert next(csv_rows(tmp_path / "t.csv", CSV)) == (1, ["a", "b"])


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("time;price\n1;2,5\n", "line 1: expected columns separated by commas .* got columns separated by semicolons"),
        ("# made by hand\ntime\tprice\n", "line 2: .* separated by tabs"),
        ("a,b\n1,2,5\n", r"line 2: expected 2 cells, as in the heading, got 3 \(a decimal comma\? write a point\)"),
        ('a,b\n"1,2\n', "expected CSV"),
        ("a,b\n1,\0\n", "line 2: expected CSV text, got a NUL byte"),
    ],
)
def test_another_table_than_expected_is_named(text, message):
    with pytest.raises(InputError, match=message):
        table(text)


@pytest.mark.parametrize(("text", "number"), [("12.5", 12.5), (" -3 ", -3.0), ("+.5e3", 500.0), ("1.", 1.0)])
def test_decimal_numbers_are_read(text, number):
    assert decimal(text) == number


@pytest.mark.parametrize(
    "text", ["1_0", "1,950", "nan", "inf", "Infinity", "0x10", "\u0661\u0662", "1 000", "", "12 %", "1e", "--1"]
)
def test_other_texts_are_no_numbers(text):
    with pytest.raises(ValueError, match="expected a decimal number"):
        decimal(text)
