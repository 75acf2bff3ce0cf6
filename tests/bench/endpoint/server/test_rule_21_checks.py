"""Each way in which the figures of an endpoint mislead has its code."""

import dataclasses

import pytest

from bench.endpoint.figures.summary import Requests, Window
from bench.endpoint.load.messages import Request
from bench.endpoint.server.checks import Client, check_client, check_requests, check_schedule, check_server
from bench.endpoint.server.counters import Counters
from bench.endpoint.server.watch import Reading

GOOD = Request(
    index=0, start_ns=0, sent_ns=0, end_ns=1, outcome="ok", error="", requested_tokens=10, output_tokens=10.0,
    source="token_ids", chunks=10, prompt_tokens=100, cached_tokens=0, connect_ns=0, ttft_s=0.1, tpot_s=0.02, e2e_s=0.8,
)  # fmt: skip
CLIENT = Client(cpu_frac=0.3, largest_lag_s=0.001, local=False)


def requests(*changes, count=100):
    every = tuple(dataclasses.replace(GOOD, **(changes[i % len(changes)] if changes else {})) for i in range(count))
    return Requests((Window(10.0, every, every),))


def codes(reasons):
    return [reason.code for reason in reasons]


def readings(tokens=1000.0, running=8.0, waiting=0.0, seconds=20, **last):
    first = Counters("vllm", output_tokens=0.0, prompt_tokens=0.0, running=running, waiting=waiting)
    end = dataclasses.replace(first, output_tokens=tokens, prompt_tokens=tokens, **last)
    return [Reading(0.0, first), *(Reading(float(i), first) for i in range(1, seconds)), Reading(float(seconds), end)]


def test_a_clean_run_has_no_code():
    assert codes(check_requests(requests(), 8, free_length=False)) == []
    assert codes(check_server(readings(), 1000.0, requests(), 8)) == []
    assert codes(check_client(CLIENT, 0.02)) == []
    assert codes(check_schedule(requests(), {float(i): 8 for i in range(20)})) == []


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        (({}, {"outcome": "error_stream", "error": "no memory"}), "requests_failed"),
        (({}, {"outcome": "short"}), "length_ignored"),
        (({}, {"output_tokens": 20.0, "chunks": 20}), "length_ignored"),
        (({"cached_tokens": 1},), "prefix_cached"),
        (({"chunks": 3},), "several_tokens_per_chunk"),
        (({"stated_tokens": 8},), "token_mismatch"),
        (({"prompt_tokens": 90},), "prompt_length"),
    ],
)
def test_requests_give_away_what_went_wrong(changes, code):
    assert codes(check_requests(requests(*changes), 8, free_length=False, prompt_tokens=100)) == [code]


@pytest.mark.parametrize(
    "changes",
    [
        ({"stated_tokens": 9},),
        ({"stated_tokens": 8, "source": "final_usage"},),
        ({"output_tokens": 11.0, "chunks": 11},),
        ({"prompt_tokens": 97},),
        ({"prompt_tokens": 200}, {"prompt_tokens": 0}),
    ],
)
def test_a_last_token_without_an_id_and_prompts_that_are_right_on_average_are_no_fault(changes):
    assert codes(check_requests(requests(*changes), 8, free_length=False, prompt_tokens=100)) == []


def test_answers_that_are_shorter_and_longer_than_requested_are_both_told():
    mixed = requests({}, {}, {"outcome": "short"}, {"output_tokens": 20.0, "chunks": 20})
    (reason,) = check_requests(mixed, 8, free_length=False)
    assert (
        reason.detail
        == "25.0% of the answers are shorter than requested; 25.0% of the answers are longer than requested"
    )
    assert "length_ignored" not in codes(check_requests(mixed, 8, free_length=True))


def test_ones_own_prompts_have_no_requested_length():
    assert codes(check_requests(requests({"prompt_tokens": 7}), 8, free_length=False)) == []


def test_short_answers_are_no_fault_where_the_length_is_free():
    assert codes(check_requests(requests({"outcome": "short"}), 8, free_length=True)) == []


def test_too_few_requests_for_the_concurrency():
    assert codes(check_requests(requests(count=39), 8, free_length=False)) == ["few_requests"]
    assert codes(check_requests(requests(count=40), 8, free_length=False)) == []


@pytest.mark.parametrize(
    ("seen", "own_tokens", "code"),
    [
        (readings()[:1], 1000.0, "no_server_counters"),
        ([*readings(), Reading(21.0, Counters("vllm", output_tokens=5.0))], 1000.0, "server_restarted"),
        (readings(tokens=1030.0), 1000.0, "endpoint_shared"),
        (readings(tokens=970.0), 1000.0, "token_mismatch"),
        (readings(preemptions=3.0), 1000.0, ""),
        (readings(running=8.0, waiting=2.0), 1000.0, "server_queues"),
        (readings(running=4.0), 1000.0, "hidden_cap"),
        (readings(running=9.0), 1000.0, "endpoint_shared"),
    ],
)
def test_the_counters_of_the_server_give_away_what_the_client_cannot_see(seen, own_tokens, code):
    assert codes(check_server(seen, own_tokens, requests(), 8)) == ([code] if code else [])


def test_hits_of_the_prefix_cache_are_seen_by_either_side_and_told_once():
    seen = readings()
    seen[0] = Reading(0.0, dataclasses.replace(seen[0].counters, prefix_hits=0.0, prefix_queries=0.0))
    end = dataclasses.replace(seen[-1].counters, prefix_hits=20.0, prefix_queries=1000.0)
    seen[-1] = Reading(seen[-1].time_s, end)
    assert codes(check_server(seen, 1000.0, requests(), 8)) == ["prefix_cached"]
    assert codes(check_server(seen, 1000.0, requests({"cached_tokens": 5}), 8)) == []


def test_interrupted_requests_are_counted():
    seen = readings()
    seen[0] = Reading(0.0, dataclasses.replace(seen[0].counters, preemptions=1.0))
    seen[-1] = Reading(20.0, dataclasses.replace(seen[-1].counters, preemptions=3.0))
    assert codes(check_server(seen, 1000.0, requests(), 8)) == ["preempted"]


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"local": True}, "client_local"),
        ({"cpu_frac": 0.9}, "client_bound"),
        ({"largest_lag_s": 0.05}, "client_bound"),
        ({"tokens_per_s": 600.0, "ceiling_per_s": 1000.0}, "client_bound"),
    ],
)
def test_a_client_that_limits_the_figures_is_named(change, code):
    assert codes(check_client(dataclasses.replace(CLIENT, **change), 0.02)) == [code]


def test_less_than_half_of_what_the_client_takes_from_a_null_server_is_no_limit():
    assert codes(check_client(dataclasses.replace(CLIENT, tokens_per_s=490.0, ceiling_per_s=1000.0), 0.02)) == []
    assert codes(check_client(dataclasses.replace(CLIENT, tokens_per_s=490.0), 0.02)) == []


def test_a_schedule_that_is_sent_late_is_named():
    late = [{}] * 97 + [{"sent_ns": 20_000_000}] * 3
    assert codes(check_schedule(requests(*late), {})) == ["schedule_late"]


def test_a_queue_that_grows_is_over_saturation_and_one_that_only_varies_is_not():
    assert codes(check_schedule(requests(), {float(i): 5 + 3 * i for i in range(20)})) == ["over_saturated"]
    assert codes(check_schedule(requests(), {float(i): 5 + i % 4 for i in range(20)})) == []


def test_a_queue_that_was_long_before_the_windows_is_over_saturation_and_a_few_chance_arrivals_are_not():
    many = requests(*[{}] * 90)
    assert codes(check_schedule(many, {float(i): 300 + 4 * i for i in range(20)})) == ["over_saturated"]
    assert codes(check_schedule(many, {float(i): i // 5 for i in range(20)})) == []
