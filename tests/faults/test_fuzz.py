"""Damaged files and random command lines end with a status of the documented ones, in time and within memory."""

import os
import random
import re

import pytest

from faults.fuzz import READERS, Fuzzer, case
from faults.parsers import PARSERS

INPUTS = 20_000 if os.environ.get("PERWATT_FAULTS") == "whole" else 4  # a reader


@pytest.fixture(scope="module")
def fuzzer(commands, tmp_path_factory):
    return Fuzzer(commands, tmp_path_factory.mktemp("fuzz"))


@pytest.mark.parametrize("name", READERS)
def test_a_damaged_input_is_read_or_refused_in_a_line(fuzzer, name):
    for seed in range(INPUTS):
        done, _ = case(fuzzer, name, seed)
        assert done.broken({0, 1, 2}) == "", (name, seed)


@pytest.mark.parametrize("name", PARSERS)
def test_what_is_damaged_is_accepted_undamaged(fuzzer, name):
    done, _ = fuzzer.file_case(name, 0, damage=lambda content, _: content)
    assert (done.status, done.broken({0})) == (0, "")


@pytest.mark.parametrize("name", PARSERS)
def test_a_number_of_five_thousand_digits_is_no_defect_of_a_reader(fuzzer, name):
    numbers = len(re.findall(rb"\d+", fuzzer.original(PARSERS[name], random.Random(f"{name} 0"))))
    for at in {0, numbers // 2, numbers - 1}:
        done, _ = fuzzer.file_case(name, 0, damage=lambda content, _, at=at: _with_long_number(content, at))
        assert done.broken({0, 1, 2}) == "", at


def _with_long_number(content, at):
    number = list(re.finditer(rb"\d+", content))[at]
    return content[: number.start()] + b"9" * 5000 + content[number.end() :]
