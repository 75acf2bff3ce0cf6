"""JSON of firmware: strict first, then each known defect by its name, never silently."""

import json
import time
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.miners.parsing.repair import REPAIRS, read_json
from bench.network.errors import ReadFailedError


@pytest.mark.parametrize(
    ("raw", "document", "repairs"),
    [
        (b'{"a":1}', {"a": 1}, ()),
        (b'{"a":1}\0', {"a": 1}, ()),
        (b'{"a":"x}{y,]"}\n', {"a": "x}{y,]"}, ()),
        (b'{"a":\0 1}', {"a": 1}, ("NUL bytes within",)),
        (b'{"a":"x\ny"}', {"a": "x y"}, ("raw control characters",)),
        (b',"id":1}', {"id": 1}, ("start missing",)),
        (b'{"a":[{"b":1}{"b":2}]}', {"a": [{"b": 1}, {"b": 2}]}, ("missing comma",)),
        (b'{"a":[1,2,],"b":3,}', {"a": [1, 2], "b": 3}, ("comma before a closing bracket",)),
        (b'{"a":[,{"b":1}]}', {"a": [{"b": 1}]}, ("comma after an opening bracket",)),
        (b'{"a":"30-40""temp0":50}', {"a": "30-40", "temp0": 50}, ("doubled quotation mark",)),
        (b'{"a":inf,"b":[-nan, 1]}', {"a": None, "b": [None, 1]}, ("nan or inf",)),
        (b'{"a":NaN}', {"a": None}, ("nan or inf",)),
        (
            b'{"error_code":["218":"2024-06-15 10:30:00","110":"2024-06-15 09:15:00"]}',
            {"error_code": {"218": "2024-06-15 10:30:00", "110": "2024-06-15 09:15:00"}},
            ("list written as a table",),
        ),
        (b'{"a":1},"id":1}', {"a": 1}, ("text after the document",)),
        (b'{"a":1,"b":[{"c":2},{"c"', {"a": 1, "b": [{"c": 2}, {}]}, ("end missing",)),
        (b'{"a":1,"b":"x', {"a": 1}, ("end missing",)),
        (
            b'{"a":[{"b":1}{"b":nan,}]}',
            {"a": [{"b": 1}, {"b": None}]},
            ("missing comma", "comma before a closing bracket", "nan or inf"),
        ),
        (b'{"a":"\xff"}', {"a": "\ufffd"}, ("bytes that are not UTF-8",)),
    ],
)
def test_a_defect_is_repaired_and_named(raw, document, repairs):
    assert read_json(raw) == (document, repairs)


def test_every_repair_has_a_case_above():
    cases = test_a_defect_is_repaired_and_named.pytestmark[0].args[1]
    assert {name for _, _, repairs in cases for name in repairs} == {
        "bytes that are not UTF-8",
        *(name for name, _ in REPAIRS),
    }


@pytest.mark.parametrize("raw", [b"", b"Socket connect failed", b"}", b"{[}]", b'"unfinished'])
def test_what_no_repair_makes_json_is_refused_with_its_start(raw):
    with pytest.raises(ReadFailedError, match="expected JSON, got "):
        read_json(raw)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=20,
)


@given(JSON)
def test_valid_json_is_never_changed(document):
    text = json.dumps(document)
    assert read_json(text.encode()) == (json.loads(text), ())


@given(st.binary(max_size=400))
def test_any_bytes_give_a_document_or_one_error(raw):
    try:
        _, repairs = read_json(raw)
    except ReadFailedError as error:
        repairs = str(error).splitlines()
        assert len(repairs) == 1
    assert len(repairs) <= len(REPAIRS) + 1


@pytest.mark.parametrize(
    "unit", [b"[", b'"a":"b",', b'["a":"b",', b"}{", b",]", b'""a', b'{"a":1,', b"nan,", b" ", b"\\"]
)
def test_the_time_for_hostile_text_grows_no_faster_than_its_length(unit):
    began = time.process_time()
    with suppress(ReadFailedError):
        read_json(b"[" + unit * (500_000 // len(unit)) + b"!")
    assert time.process_time() - began < 5.0
