"""Files of block headers in three forms, and what is none of them."""

from pathlib import Path

import pytest

from bench.feeds.difficulty.headers import read_headers
from hardware_profiles.errors import InputError

PATH = Path("h")


def as_hex(headers):
    return "".join(f"{header80.hex()}\n" for header80 in headers).encode()


def as_table(headers, first=0, column="header_hex_80_bytes"):
    lines = [f"height,{column},note", *(f"{first + at},{header80.hex()},x" for at, header80 in enumerate(headers))]
    return "\n".join(lines).encode()


def test_the_three_forms_are_the_same_headers(headers):
    expected = dict(enumerate(headers[:50]))
    for data in (
        b"".join(headers[:50]),
        as_hex(headers[:50]),
        as_table(headers[:50]),
        as_table(headers[:50], 0, "header"),
    ):
        assert read_headers(PATH, data) == expected
    crlf = b"\xef\xbb\xbf# of a node\r\n" + as_hex(headers[:50]).replace(b"\n", b"\r\n").upper()
    assert read_headers(PATH, crlf) == expected


@pytest.mark.parametrize("form", [b"".join, as_hex])
def test_a_file_from_a_later_height_on_needs_that_height(headers, form):
    data = form(headers[2016:2020])
    with pytest.raises(
        InputError, match=r"expected the first block of the network, or the height .* by --first-height"
    ):
        read_headers(PATH, data)
    assert read_headers(PATH, data, 2016) == {2016 + at: headers[2016 + at] for at in range(4)}


@pytest.mark.parametrize(
    ("data", "first", "message"),
    [
        (b"", None, "h: expected block headers, got an empty file"),
        (b"# nothing\n", None, "h: expected block headers, got none"),
        (b"\x01" * 179, None, r"got 179 bytes: 2 headers and 19 bytes \(a truncated download\?\)"),
        (b"ab" * 79, None, "h: line 1: expected a block header of 160 hexadecimal digits, got 'abab"),
        (b"<html>no</html>", None, "h: line 1: expected a block header of 160 hexadecimal digits, got '<html>no"),
        (b"hoehe,header\n1,ab\n", None, "h: line 1: key height: expected this column"),
        (b"height,head\n1,ab\n", None, "h: line 1: key header_hex_80_bytes: expected this column"),
        (b"height,header\n-1,ab\n", None, "h: line 2: key height: expected a whole number, got '-1'"),
        (b"height,header\n1,ab\n", None, "h: line 2: expected a block header of 160 hexadecimal digits, got 'ab'"),
        (b"height,header\n1,ab\n", 1, "--first-height: expected no such option for a table with heights, got 1"),
    ],
)
def test_what_is_no_file_of_headers_is_refused_in_one_line(data, first, message):
    with pytest.raises(InputError, match=message) as caught:
        read_headers(PATH, data, first)
    assert "\n" not in str(caught.value)


def test_a_height_twice_and_a_wrong_first_height_are_refused(headers):
    twice = as_table(headers[:2]).replace(b"\n1,", b"\n0,")
    with pytest.raises(InputError, match="line 3: height 0: expected each height once, got it twice"):
        read_headers(PATH, twice)
    with pytest.raises(
        InputError, match="--first-height: expected 0, because the file begins with the first block, got 7"
    ):
        read_headers(PATH, as_hex(headers[:2]), 7)
