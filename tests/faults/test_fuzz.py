"""Damaged files and random command lines end with a status of the documented ones, in time and within memory."""

import os

import pytest

from faults.fuzz import READERS, Fuzzer, case
from faults.parsers import PARSERS

INPUTS = 20_000 if os.environ.get("PERWATT_FAULTS") == "whole" else 12  # a reader


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
