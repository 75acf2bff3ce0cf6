"""Files that people wrote: each fault is one line that names place, key, expected and got."""

from typing import Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, ConfigDict, Field

from hardware_profiles.errors import InputError, near_names, shown
from hardware_profiles.reading import dotted, parse_toml, read_toml, validate


class Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")
    power_w: float = Field(gt=0)
    name: Literal["a", "b"] = "a"


class Whole(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")
    parts: list[Part] | None = None
    tables: dict[str, Part] = {}


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (
            {"parts": [{"power_W": 1}]},
            "f.toml: key parts[0].power_W: expected a known key, got an unknown key (did you mean power_w?)",
        ),
        ({"parts": [{"power_w": -1}]}, "f.toml: key parts[0].power_w: expected a number greater than 0, got -1"),
        ({"parts": [{}]}, "f.toml: key parts[0].power_w: expected a value (the key is required), got nothing"),
        ({"parts": [{"power_w": "x"}]}, "f.toml: key parts[0].power_w: expected a number, got 'x'"),
        ({"parts": [{"power_w": 1, "name": "c"}]}, "f.toml: key parts[0].name: expected 'a' or 'b', got 'c'"),
        ({"zzz": 1}, "f.toml: key zzz: expected one of parts, tables, got an unknown key"),
        (
            {"tables": {"q": {"powr_w": 1}}},
            "f.toml: key tables.q.powr_w: expected a known key, got an unknown key (did you mean power_w?)",
        ),
        ({"parts": 3}, "f.toml: key parts: expected a list, got 3"),
    ],
)
def test_a_wrong_value_is_told_with_its_key_what_was_expected_and_what_was_got(data, message):
    with pytest.raises(InputError) as caught:
        validate(Whole, data, "f.toml")
    assert str(caught.value) == message


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"a = 1\nb = \n", "f.toml: expected valid TOML, got a syntax error: Invalid value (at line 2, column 5)"),
        (b"a = 1\nb = '\xff'", "f.toml: line 2: expected UTF-8 text, got byte 0xff"),
        (b"a = 1\n\n\x00", "f.toml: line 3: expected text, got a NUL byte"),
        (b"a = " + b"[" * 20_000, "f.toml: expected valid TOML, got one nested too deeply"),
    ],
)
def test_a_file_that_is_no_toml_is_told_with_its_line(content, message):
    with pytest.raises(InputError) as caught:
        parse_toml(content, "f.toml")
    assert str(caught.value) == message


def test_a_missing_file_and_a_folder_are_told_as_what_they_are(tmp_path):
    with pytest.raises(InputError, match="got no such file"):
        read_toml(tmp_path / "none.toml")
    with pytest.raises(InputError, match="got a folder"):
        read_toml(tmp_path)


@given(st.binary(max_size=200))
def test_any_bytes_are_parsed_or_refused_on_one_line(content):
    told = ""
    try:
        parse_toml(content, "f.toml")
    except InputError as fault:
        told = str(fault)
    assert told == "" or told.startswith("f.toml: ")
    assert "\n" not in told


def test_near_names_ignore_case_and_long_values_are_cut():
    assert near_names("ANTMINER-S21", ["antminer-s21", "whatsminer-m60"])[0] == "antminer-s21"
    assert len(shown("x" * 500)) == 80
    assert dotted(("bins", 0, "power_w")) == "bins[0].power_w"
