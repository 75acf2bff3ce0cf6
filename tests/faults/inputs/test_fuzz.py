"""Damaged files and random command lines end with a status of the documented ones, in time and within memory."""

import random
import re

import pytest

from faults.command import COUNTS, WHOLE
from faults.inputs.fuzz import NAMES, Fuzzer, damaged
from faults.inputs.originals import CORPUS
from faults.inputs.parsers import PARSERS
from faults.inputs.readers import READERS, Judge
from faults.inputs.tables import long_text, many_rows

COMMANDS = 300 if WHOLE else 3  # a reader
INPUTS = 5_000 if WHOLE else 40
SLOW = {"record on a page"}  # it takes three seconds


@pytest.fixture(scope="module")
def fuzzer(commands, tmp_path_factory):
    return Fuzzer(commands, tmp_path_factory.mktemp("fuzz"))


@pytest.mark.slow
@pytest.mark.parametrize("name", READERS)
def test_a_damaged_input_is_read_or_refused_in_lines(name, tmp_path):
    judge = Judge(name, tmp_path)
    broken = {}
    for seed in range(INPUTS):
        why = judge.broken(damaged(name, judge.originals, random.Random(f"{name} {seed}")))
        COUNTS["damaged inputs of readers"] += 1
        if why:
            broken.setdefault(why[:100], seed)
    assert broken == {}


@pytest.mark.parametrize("name", READERS)
def test_a_reader_reads_its_sound_inputs_and_refuses_those_on_which_it_once_failed(name, tmp_path):
    judge = Judge(name, tmp_path)
    once_failed = len(list((CORPUS / name.replace(" ", "-")).glob("*")))
    for content in judge.originals:
        assert judge.broken(content) == "", content[:200]
    assert judge.refused <= once_failed


@pytest.mark.parametrize("name", NAMES)
def test_a_command_with_a_damaged_input_ends_with_a_line_and_a_status(fuzzer, name):
    broken = {}
    for seed in range(COMMANDS // 20 if name in SLOW else COMMANDS):
        done, _ = fuzzer.case(name, seed)
        COUNTS["damaged inputs of commands"] += 1
        if why := done.broken({0, 1, 2}):
            broken.setdefault(why[:100], seed)
    assert broken == {}


@pytest.mark.parametrize("name", [name for name in PARSERS if WHOLE or name not in SLOW])
def test_what_is_damaged_is_accepted_undamaged(fuzzer, name):
    done = fuzzer.file_case(name, PARSERS[name].originals(name)[0])
    assert (done.status, done.broken({0})) == (0, ""), done.err


@pytest.mark.parametrize("name", READERS)
def test_a_number_of_five_thousand_digits_is_no_defect_of_a_reader(name, tmp_path):
    judge = Judge(name, tmp_path)
    numbers = len(re.findall(rb"\d+", judge.originals[0]))
    for at in range(0, numbers, max(1, numbers // 20)):
        assert judge.broken(_with_long_number(judge.originals[0], at)) == "", at


@pytest.mark.parametrize("name", ["hourly Parquet", "samples", "table of sites"])
def test_a_small_parquet_file_of_gigabytes_is_refused_at_once(name, tmp_path):
    judge = Judge(name, tmp_path)
    for content in (many_rows(judge.originals[0], 10_000_000), long_text(judge.originals[0], 0, 2_000)):
        assert judge.broken(content) == ""
    assert judge.refused == 2


def _with_long_number(content, at):
    number = list(re.finditer(rb"\d+", content))[at]
    return content[: number.start()] + b"9" * 5000 + content[number.end() :]
