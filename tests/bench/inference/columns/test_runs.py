"""The number of requests of runs whose publisher states how often each prompt was sent."""

import csv

from bench.inference.columns.runs import PROMPTS, REPEATS, requests_of
from bench.inference.published import MEASURED, MORE, ONCE_BLIND, read_rows


def test_a_listed_run_has_its_prompts_as_often_as_the_settings_say():
    assert requests_of("gpqa", "qwen3-14b", "b200", 1, 256) == 2 * 198
    assert requests_of("lm-arena-chat", "llama-3.1-405b-instruct", "b200", 8, 4096) == 6 * 1024
    assert requests_of("lm-arena-chat", "qwen3-235b-a22b-instruct-2507", "b200", 4, 3072) == 4 * 1024


def test_a_run_that_is_not_listed_has_half_as_many_more_requests_as_sequences():
    assert requests_of("lm-arena-chat", "some-model", "h100-sxm", 1, 64) == 1024
    assert requests_of("lm-arena-chat", "some-model", "h100-sxm", 1, 1024) == 2 * 1024
    assert requests_of("another-task", "some-model", "h100-sxm", 1, 64) is None


def test_the_rule_for_unlisted_runs_is_that_of_most_listed_ones():
    with REPEATS.open() as file:
        rows = list(csv.DictReader(file))
    runs = [(row, int(most)) for row in rows for most in row["max_num_seqs"].split()]
    same = [
        requests_of(row["task"], "some-model", "x", 1, most) == int(row["repeats"]) * PROMPTS[row["task"]]
        for row, most in runs
    ]
    assert len(runs) > 500
    assert sum(same) / len(same) > 0.7


def test_most_rows_of_the_publisher_are_listed():
    rows = [row for path in (MEASURED, MORE, ONCE_BLIND) for row in read_rows(path) if row.most_batch is not None]
    assert len(rows) > 400
    assert all(row.requests is not None and row.prompts is not None for row in rows)
