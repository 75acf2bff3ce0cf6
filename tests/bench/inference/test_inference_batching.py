"""Continuous batching: what every step holds, against a scheduler that plays one step at a time."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.inference.batching import Limits, trace_steps
from hardware_profiles.errors import InputError


def _step_by_step(input_len, output_len, requests, places, budget):
    """Play the same rules without any shortcut; return (decoding, context, prompt, pairs, first, last) a step."""
    waiting, reading, running, steps = requests, 0, [], []
    while waiting or running:
        decoding, context = len(running), sum(input_len + given + 1 - 1 for given in running) + len(running)
        left, pairs, first, prompt = budget - decoding, 0, 0, 0
        free = places - decoding
        while waiting and free and left > 0:
            take = min(left, input_len - reading)
            pairs += sum(range(reading + 1, reading + take + 1))
            reading, left, prompt = reading + take, left - take, prompt + take
            if reading == input_len:
                reading, waiting, free, first = 0, waiting - 1, free - 1, first + 1
        running = [given + 1 for given in running]
        last = sum(given == output_len - 1 for given in running) + (first if output_len == 1 else 0)
        running = [given for given in running if given < output_len - 1]
        running += [0] * first if output_len > 1 else []
        steps.append((decoding, context, prompt, pairs, first, last))
    return steps


@given(st.integers(1, 40), st.integers(1, 12), st.integers(1, 30), st.integers(1, 9), st.integers(1, 60))
def test_the_trace_equals_a_scheduler_played_one_step_at_a_time(input_len, output_len, requests, batch, budget):
    found = trace_steps(input_len, output_len, requests, Limits(batch, budget))
    expected = _step_by_step(input_len, output_len, requests, min(batch, requests, budget), budget)
    assert sum(found.steps) == len(expected)
    place = 0
    for index, count in enumerate(found.steps):
        part = expected[place : place + count]
        place += count
        assert {step[0] for step in part} == {found.decoding[index]}
        assert sum(step[1] for step in part) / count == pytest.approx(found.context[index])
        for key, column in ((2, found.prompt), (3, found.prompt_pairs), (4, found.first), (5, found.last)):
            assert sum(step[key] for step in part) == column[index]


@given(st.integers(1, 300), st.integers(1, 300), st.integers(1, 200), st.integers(1, 64), st.integers(64, 4000))
def test_every_request_is_read_once_and_gives_all_its_tokens(input_len, output_len, requests, batch, budget):
    found = trace_steps(input_len, output_len, requests, Limits(batch, budget))
    decoded = sum(steps * decoding for steps, decoding in zip(found.steps, found.decoding, strict=True))
    assert decoded + sum(found.first) == found.output_tokens == requests * output_len
    assert sum(found.prompt) == requests * input_len
    assert sum(found.first) == sum(found.last) == requests
    assert max(found.decoding) <= batch
    for decoding, prompt in zip(found.decoding, found.prompt, strict=True):
        assert decoding + prompt <= budget


def test_clients_bound_what_runs_at_once():
    found = trace_steps(100, 10, 50, Limits(64, 1000), concurrency=3)
    assert max(found.decoding) == 3


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((0, 1, 1, Limits(1, 1)), "input: expected at least 1, got 0"),
        ((1, 0, 1, Limits(1, 1)), "output: expected at least 1, got 0"),
        ((1, 1, 0, Limits(1, 1)), "requests: expected at least 1, got 0"),
        ((1, 1, 1, Limits(0, 1)), "batch limit: expected at least 1, got 0"),
        ((1, 1, 1, Limits(1, 0)), "token budget: expected at least 1, got 0"),
        ((1, 1, 1, Limits(1, 1), 0), "concurrency: expected at least 1, got 0"),
    ],
)
def test_a_load_of_nothing_is_refused(arguments, message):
    with pytest.raises(InputError, match=message):
        trace_steps(*arguments)
