"""What users of other load generators complained about, and no other test of this folder holds."""

import math
import statistics
import time

import pytest
from doubles.crowded import in_one_of, until
from doubles.endpoint.server import Setup, serving

from bench.endpoint.client.probe import probe
from bench.endpoint.client.target import read_target
from bench.endpoint.device import describe
from bench.endpoint.figures.tokens import token_times
from bench.endpoint.load.load import Load, split_arrivals
from bench.endpoint.load.messages import request_of
from bench.endpoint.load.plan import LoadPlan
from bench.endpoint.setting import Setting, new_seed
from bench.endpoint.stream.reply import Read, read_reply
from bench.endpoint.workload import LlmServeEndpoint
from bench.measure.runner import measure


@pytest.fixture
def run(short_job, monkeypatch):
    """Measure a double and return the record."""
    monkeypatch.setattr("bench.endpoint.workload.STEADY_BLOCK_S", 0.2)
    monkeypatch.setattr("bench.endpoint.server.watch.PERIOD_S", 0.1)
    monkeypatch.setattr("bench.endpoint.workload.measure_ceiling", lambda *_: None)

    def call(server, *, concurrency, output=24):
        target = read_target(f"http://127.0.0.1:{server.port}")
        setting = Setting(target, None, 20, output, f"complaint {time.monotonic_ns()}", concurrency)
        workload = LlmServeEndpoint(setting, setting.ask())
        return measure(workload, short_job(windows=2, window_s=1.0, rate_floor_s=1.0), device=describe(target))

    return call


@pytest.mark.parametrize("text", ["", "a", "\u200b" * 7, "ab " * 4000])
def test_the_count_of_the_server_wins_over_its_text(text):
    """vllm#45739: a text without sense, counted by a tokenizer, made the same run 7.4 times as slow."""
    chunk = b'data: {"choices": [{"text": "%b", "token_ids": [1, 2]}]}\n\n' % text.encode()
    end = b'data: {"choices": [], "usage": {"prompt_tokens": 3, "completion_tokens": 6}}\n\ndata: [DONE]\n\n'
    head = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n"
    reply = read_reply([Read(0, head), *(Read(at, chunk) for at in (1, 2, 3)), Read(4, end)])
    assert token_times(reply).total == 6
    request, _ = request_of(0, 0, 0, 0, reply, 6, unfinished=False)
    assert (request.outcome, request.output_tokens, request.stated_tokens) == ("ok", 6.0, 6)
    assert request.characters == 3 * len(text)


def test_the_record_keeps_every_count_the_start_of_the_slots_and_the_clients_machine(run):
    """vllm#44708: two tokenizers, two counts; guidellm#1041: a burst that was none; aiperf#1424: a governor."""
    with serving(Setup(token_s=0.004, first_token_s=0.02, per_chunk=4)) as server:
        record = run(server, concurrency=4)
    counts, client = record.endpoint.counts, record.endpoint.client
    assert counts.counted == counts.requested == counts.stated > 0
    assert counts.characters == 4 * counts.counted  # " tok" each
    assert counts.counted / 4 <= counts.chunks <= counts.counted / 2
    assert record.endpoint.server.output_tokens > 0
    assert client.new_connections == 0
    assert client.schedule_lag_s is None
    assert client.start_spread_s > 0.03  # over the time of a request, about
    assert {"governor", "driver"} <= set(record.system["frequency"])
    assert {"cpu", "load_average", "virtualisation", "kernel"} <= set(record.system)


def test_a_server_that_ends_early_is_counted_by_what_came(run):
    """nvcf#1826, sglang#24254: the requested length was credited."""
    with serving(Setup(token_s=0.004, first_token_s=0.01, stop_after=6)) as server:
        record = run(server, concurrency=2)
    counts = record.endpoint.counts
    assert counts.counted == counts.stated == 6 * record.endpoint.outcomes["short"]
    assert counts.requested > 3 * counts.counted
    assert "length_ignored" in {reason.code for reason in record.warnings}


def test_the_wait_in_the_servers_queue_is_told_from_the_first_token(run):
    with serving(Setup(token_s=0.004, first_token_s=0.02, slots=2)) as server:
        record = run(server, concurrency=4)
    a_request_s = 0.02 + 23 * 0.004
    assert record.endpoint.server.queue_s_mean >= 0.5 * a_request_s
    assert record.metrics["ttft_q50"].value >= record.endpoint.server.queue_s_mean * 0.5


def test_no_request_of_a_schedule_waits_for_another_one():
    """guidellm#526: requests waited for a busy process while others were idle."""

    def trial():
        with serving(Setup(token_s=0.0, first_token_s=1.5)) as server:
            what = probe(read_target(f"http://127.0.0.1:{server.port}"), None, f"late {time.monotonic_ns()}")
            before = len(server.served)
            plan = LoadPlan(what.service, what.ip, False, "", what.prompts("seed", 8), (4,))
            load = Load(split_arrivals(plan, [0.5 + 0.02 * number for number in range(24)], 2))
            until(lambda: len(load.requests) == 24, load.check)
            load.stop()
            arrived_s = sorted(served.arrived_s for served in server.served[before:])
        due_s = sorted(request.start_ns * 1e-9 for request in load.requests)
        lags_s = [at - due for at, due in zip(arrived_s, due_s, strict=True)]
        assert max(lags_s) < 1.0, "none waits for the end of another one, which takes 1.5 s"
        assert statistics.median(lags_s) < 0.1

    in_one_of(3, trial)


@pytest.mark.parametrize("concurrency", [2, 5])
def test_the_windows_of_each_load_begin_once_the_server_is_warm(run, concurrency):
    """vllm-omni#6356, dflash#135: a server compiles at each new load, and was measured meanwhile."""
    setup = Setup(token_s=0.02, first_token_s=0.01)
    speeds = []

    def warm(began_s):
        setup.token_s = 0.004 * (1.0 + 4.0 * math.exp(-(time.monotonic() - began_s)))
        speeds.append((time.monotonic(), setup.token_s))
        server.loop.call_later(0.02, warm, began_s)

    with serving(setup) as server:
        first_s = time.monotonic()
        server.loop.call_soon_threadsafe(warm, first_s + 1.0)
        record = run(server, concurrency=concurrency)
    starts_s = record.windows[0].start_s
    at_start = [token_s for at_s, token_s in speeds if at_s <= starts_s][-1]
    assert at_start < 0.004 * 1.6
    assert record.workload.parameters["warm_up_s"] > 1.0


def test_no_run_has_the_prompts_of_another_one():
    """vllm#10753, guidellm#217: prompts from one seed came from the cache at the next run."""
    assert len({new_seed() for _ in range(1000)}) == 1000
