"""Loads of real processes against the null server."""

import asyncio
import contextlib
import dataclasses
import itertools
import threading
import time

import pytest
from doubles.crowded import until

from bench.endpoint.ceiling.null_server import Answer, NullServer
from bench.endpoint.client.prompts import PromptSource
from bench.endpoint.client.requests import Service
from bench.endpoint.load.load import Load, split_arrivals, split_slots
from bench.endpoint.load.plan import LoadPlan, arrival_times_s
from bench.errors import RunFailedError


@contextlib.contextmanager
def null_server(answer):
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    server = NullServer(answer)
    port = asyncio.run_coroutine_threadsafe(server.start(), loop).result()
    try:
        yield port
    finally:
        loop.call_soon_threadsafe(server.stop)
        loop.call_soon_threadsafe(loop.call_later, 0.01, loop.stop)
        thread.join()
        loop.close()


def plan(port, **more):
    service = Service("127.0.0.1", port, "", "null", fields=frozenset({"token_ids"}))
    return LoadPlan(service, "127.0.0.1", False, "", PromptSource("seed", words=5), (20,), **more)


def test_a_closed_loop_counts_every_token_once():
    with null_server(Answer(tokens=20, token_s=0.005)) as port:
        load = Load(split_slots(plan(port, stagger_s=0.01), 4, processes=2))
        until(
            lambda: len(load.requests) >= 12 and len({request.index % 2 for request in load.requests}) == 2, load.check
        )
        load.stop()
    finished = [request for request in load.requests if not request.unfinished]
    assert {request.outcome for request in finished} == {"ok"}
    assert {request.source for request in load.requests} == {"token_ids"}
    assert len({request.index for request in load.requests}) == len(load.requests)
    first_s = min(request.sent_ns for request in load.requests) / 1e9
    total = sum(request.output_tokens for request in load.requests)
    assert load.tokens_between(first_s, time.monotonic()) == total >= 240
    middle_s = first_s + 0.1
    assert load.tokens_between(first_s, middle_s) + load.tokens_between(middle_s, time.monotonic()) == total


def test_requests_that_are_cut_off_keep_the_tokens_that_came():
    reports = set()
    with null_server(Answer(tokens=5000, token_s=0.002)) as port:
        load = Load(split_slots(plan(port), 3))
        until(lambda: load.state.in_flight == 3, load.check)
        until(lambda: reports.add(load.state.cpu_s) or len(reports) > 3, load.check)  # it has read tokens in between
        load.stop()
    assert [request.unfinished for request in load.requests] == [True] * 3
    assert all(0 < request.output_tokens < 5000 for request in load.requests)


def test_each_arrival_of_a_trace_keeps_its_own_length_in_whichever_process():
    lengths, times_s = (7, 3, 9, 4, 8, 5, 6, 2), [0.0, 0.0, 0.1, 0.15, 0.15, 0.2, 0.25, 0.3]
    with null_server(Answer(tokens=1)) as port:
        planned = plan(port)
        load = Load(split_arrivals(dataclasses.replace(planned, output_lengths=lengths), times_s, processes=2))
        until(lambda: len(load.requests) == len(times_s), load.check)
        load.stop()
    assert {request.index: request.requested_tokens for request in load.requests} == dict(enumerate(lengths))


def test_an_open_loop_counts_from_the_scheduled_time():
    times_s = arrival_times_s(200.0, 0.5, "seed")
    with null_server(Answer(tokens=1, first_token_s=0.05)) as port:
        load = Load(split_arrivals(plan(port), times_s))
        until(lambda: len(load.requests) == len(times_s), load.check)
        load.stop()
    starts = sorted(request.start_ns for request in load.requests)
    gaps = [(b - a) / 1e9 for a, b in itertools.pairwise(starts)]
    assert gaps == pytest.approx([b - a for a, b in itertools.pairwise(times_s)], abs=1e-6)
    assert all(request.sent_ns >= request.start_ns for request in load.requests)
    assert all(request.ttft_s >= 0.05 for request in load.requests)


def test_a_process_that_dies_is_noticed():
    with null_server(Answer(tokens=1)) as port:
        load = Load(split_slots(plan(port), 1))
        until(lambda: load.requests, load.check)
        load._processes[0].kill()
        load._processes[0].wait()
        with pytest.raises(RunFailedError, match="ended by itself"):
            load.check()
        load.stop()


def test_a_server_that_is_not_there_refuses_every_request():
    load = Load(split_slots(plan(1), 2))
    until(lambda: len(load.requests) >= 2, load.check)
    load.stop()
    assert {request.outcome for request in load.requests} == {"refused"}


@pytest.mark.parametrize("burstiness", [0.5, 1.0, 4.0])
def test_arrivals_have_the_stated_rate_and_spread(burstiness):
    times_s = arrival_times_s(100.0, 1000.0, "seed", burstiness)
    gaps = [b - a for a, b in itertools.pairwise(times_s)]
    mean = sum(gaps) / len(gaps)
    variance = sum((gap - mean) ** 2 for gap in gaps) / len(gaps)
    assert mean == pytest.approx(0.01, rel=0.02)
    assert variance / mean**2 == pytest.approx(1.0 / burstiness, rel=0.1)
    assert times_s == arrival_times_s(100.0, 1000.0, "seed", burstiness) != arrival_times_s(100.0, 1000.0, "other")


def test_prompts_are_unique_from_the_first_token_and_repeatable():
    source = PromptSource("run:1", vocabulary=32000, prompt_tokens=16)
    prompts = [source.prompt(i) for i in range(1000)]
    assert prompts == [source.prompt(i) for i in range(1000)]
    assert len({prompt[:2] for prompt in prompts}) == 1000
    assert {len(prompt) for prompt in prompts} == {16}
    assert PromptSource("run:2", vocabulary=32000, prompt_tokens=16).prompt(0) != prompts[0]
    assert len(PromptSource("run:1", words=7).prompt(0).split()) == 7
    assert [PromptSource("x", texts=("a", "b")).prompt(i) for i in range(3)] == ["a", "b", "a"]
