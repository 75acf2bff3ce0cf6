"""A real llama.cpp server with a tiny model: what it accepts, and whether its own counts are ours."""

import dataclasses
import time

import pytest
from doubles.crowded import LATE, LONG_S, skip_where, unexplained, until

from bench.endpoint.client.probe import probe
from bench.endpoint.client.target import read_target
from bench.endpoint.device import describe_random
from bench.endpoint.load.load import Load, split_slots
from bench.endpoint.load.plan import LoadPlan
from bench.endpoint.server.watch import ServerWatch
from bench.endpoint.setting import Setting
from bench.endpoint.tiny.server import is_installed, running
from bench.endpoint.workload import LlmServeEndpoint
from bench.measure.runner import measure

pytestmark = pytest.mark.skipif(not is_installed(), reason="the extra `serve` (xllamacpp, gguf) is not installed")


@pytest.fixture(scope="module")
def url():
    with running() as address:
        yield address


@pytest.fixture
def known(url):
    return probe(read_target(url), None, f"test {time.monotonic_ns()}")


def test_the_probe_learns_what_the_server_accepts(known):
    assert known.service.interface == "completions"
    assert {"ignore_eos", "continuous_usage"} <= known.service.fields
    assert known.vocabulary == 988
    assert known.source == "final_usage"
    assert known.honours_length
    assert known.largest_context == 4096


def test_a_chat_is_measured_too(url):
    chat = probe(read_target(url), None, f"chat {time.monotonic_ns()}", interface="chat")
    assert (chat.service.interface, chat.vocabulary) == ("chat", 0)
    words = chat.prompts("seed", 100).words
    assert chat.tokens_of_no_words + chat.tokens_per_word * words == pytest.approx(100, abs=chat.tokens_per_word)


def test_the_tokens_of_finished_requests_are_those_that_the_server_counts(url, known):
    """Every request is waited for, so that the counts agree to the token."""
    target = read_target(url)
    watch = ServerWatch(target)
    assert watch.server == "llama.cpp"
    before = watch._read("/metrics").counters
    plan = LoadPlan(known.service, known.ip, False, "", known.prompts("seed", 40), (24, 30), arrivals_s=())
    load = Load([LoadPlan(**{**fields(plan), "arrivals_s": tuple(0.01 * i for i in range(60))})])
    until(lambda: len(load.requests) >= 60, load.check)
    load.stop()
    after = watch._read("/metrics").counters
    assert {request.outcome for request in load.requests} == {"ok"}
    assert sum(request.output_tokens for request in load.requests) == pytest.approx(
        after.output_tokens - before.output_tokens, abs=1e-6
    )
    assert sum(request.prompt_tokens for request in load.requests) == 60 * 40
    assert {request.prompt_tokens for request in load.requests} == {40}
    assert sum(request.cached_tokens or 0 for request in load.requests) <= 0.01 * 60 * 40


def test_more_requests_than_slots_wait_in_the_queue_of_the_server(url, known):
    watch = ServerWatch(read_target(url))
    plan = LoadPlan(known.service, known.ip, False, "", known.prompts("queue", 40), (200,))
    load = Load(split_slots(plan, 12))
    seen = []
    end_s = time.monotonic() + LONG_S
    while max(seen, default=0.0) < 4 and time.monotonic() < end_s:
        load.check()
        seen.append(watch._read("/metrics").counters.waiting or 0.0)
    load.stop()
    assert max(seen) >= 4


def fields(plan):
    return {name: getattr(plan, name) for name in plan.__dataclass_fields__}


def test_a_server_that_counts_a_request_at_its_end_is_not_shared(url, short_job, monkeypatch):
    """The requests under way at both ends of the readings are no other client's."""
    monkeypatch.setattr("bench.endpoint.workload.STEADY_BLOCK_S", 0.2)
    target = read_target(url)
    setting = Setting(target, None, 100, 400, f"shared {time.monotonic_ns()}", 4)
    record = measure(
        LlmServeEndpoint(setting, setting.ask()), short_job(windows=2, window_s=1.0), (), device=describe_random(target)
    )
    assert 0 < record.endpoint.unfinished <= 4
    codes = {reason.code for reason in (*record.reasons, *record.warnings)}
    assert "endpoint_shared" not in unexplained(codes)
    skip_where(codes, LATE)
    counts = record.endpoint.server
    assert counts.output_tokens == pytest.approx(counts.own_output_tokens, rel=0.01)


@pytest.fixture
def repeated(url, short_job, monkeypatch):
    """Measure with one prompt that comes again and again, with and without the field that switches the cache off."""
    monkeypatch.setattr("bench.endpoint.workload.STEADY_BLOCK_S", 0.2)
    monkeypatch.setattr("bench.endpoint.workload.measure_ceiling", lambda *_: None)

    def call(*, switched_off):
        target = read_target(url)
        text = "ab cd ef " * 40
        setting = Setting(target, None, 100, 40, f"cache {time.monotonic_ns()}", 2, texts=(text,))
        known = setting.ask()
        assert "no_prompt_cache" in known.service.fields
        if not switched_off:
            fields = known.service.fields - {"no_prompt_cache"}
            known = dataclasses.replace(known, service=dataclasses.replace(known.service, fields=fields))
        record = measure(
            LlmServeEndpoint(setting, known), short_job(windows=2, window_s=1.0), (), device=describe_random(target)
        )
        return record, {reason.code: reason.detail for reason in (*record.reasons, *record.warnings)}

    return call


def test_a_prefix_cache_of_the_server_is_found_when_prompts_repeat(repeated):
    record, codes = repeated(switched_off=False)
    assert "% of the prompt tokens" in codes["prefix_cached"]
    assert record.endpoint.cached_prompt_tokens > 0.5 * sum(record.endpoint.input_tokens)
    assert record.endpoint.server.prefix_hits > 0


def test_the_cache_that_the_probe_switches_off_answers_no_prompt_although_it_repeats(repeated):
    record, codes = repeated(switched_off=True)
    assert "prefix_cached" not in codes
    assert record.endpoint.cached_prompt_tokens == 0
