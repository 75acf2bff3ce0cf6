"""The words on the last blind file are those of its outcome, and those on its rows since are those of the model."""

import csv

import pytest

from bench.inference.judged.blind import BLIND, blind_words
from bench.inference.judged.book import stored
from bench.inference.validation import FILES, HOLDOUT, summarise, validate
from hardware_profiles.reading import read_toml


def test_the_words_name_rows_errors_and_the_shares_within_the_intervals():
    assert "on 160 rows" in blind_words()
    assert "wrong by 67%, and 46% of them" in blind_words()
    assert "on the 145 of them that are held out since, it is wrong by 22%, and 81% of them" in blind_words()
    assert "on 128 rows of a third file" in blind_words()
    assert "wrong by 49%, and 74% of them lay within" in blind_words()


def test_the_blind_file_has_as_many_rows_at_least_and_counts_in_the_errors_of_classes():
    last = read_toml(BLIND)["last"]
    path = BLIND.parent / last["file"]
    assert path in FILES
    with path.open(encoding="utf-8") as file:
        assert len(list(csv.DictReader(file))) >= last["rows"]


def test_the_third_blind_file_is_bundled_and_counts_in_no_error_of_a_class():
    third = read_toml(BLIND)["third"]
    path = BLIND.parent / third["file"]
    assert path not in FILES
    with path.open(encoding="utf-8") as file:
        assert len(list(csv.DictReader(file))) >= third["rows"]


def test_the_errors_of_its_rows_that_are_held_out_are_those_that_the_model_has():
    tables = read_toml(BLIND)
    held = tables["held_out"]
    rows = validate(BLIND.parent / tables["last"]["file"], stored()).of(HOLDOUT)
    summary = summarise(rows)
    assert summary.rows == held["rows"]
    assert summary.geomean_error_frac == pytest.approx(held["error_frac"], abs=2e-3)
    assert sum(one.within for one in rows) / len(rows) == pytest.approx(held["within_frac"], abs=0.01)
