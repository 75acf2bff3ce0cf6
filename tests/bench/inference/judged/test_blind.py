"""The words on the last blind file are those of its outcome, and its rows are bundled and never fitted."""

import csv

from bench.inference.judged.blind import BLIND, blind_words
from bench.inference.validation import FILES
from hardware_profiles.reading import read_toml


def test_the_words_name_rows_error_and_the_share_within_the_intervals():
    assert "on 160 rows" in blind_words()
    assert "wrong by 67%, and 46% of them" in blind_words()


def test_the_blind_file_has_as_many_rows_at_least_and_is_not_among_those_that_are_fitted():
    last = read_toml(BLIND)["last"]
    path = BLIND.parent / last["file"]
    assert path not in FILES
    with path.open(encoding="utf-8") as file:
        assert len(list(csv.DictReader(file))) >= last["rows"]
