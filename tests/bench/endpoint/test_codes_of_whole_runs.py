"""Whole runs against the server whose truth is known: the figures are right, and what spoils them is a code."""

import time

import pytest
from doubles.crowded import LATE, in_one_of, skip_where, unexplained, until
from doubles.endpoint.meter import Consumption, SimulatedMeter
from doubles.endpoint.server import Setup, serving

from bench.endpoint.client.probe import probe
from bench.endpoint.client.target import read_target
from bench.endpoint.device import describe
from bench.endpoint.load.load import Load
from bench.endpoint.load.plan import LoadPlan
from bench.endpoint.server.counters import difference
from bench.endpoint.server.watch import ServerWatch
from bench.endpoint.setting import Setting
from bench.endpoint.workload import LlmServeEndpoint
from bench.measure.runner import measure

pytestmark = pytest.mark.slow


class Run:
    """One run through the runner: its record, with the codes in it."""

    def __init__(self, server, job, *, concurrency, seed, meter=None, output=24):
        target = read_target(f"http://127.0.0.1:{server.port}")
        setting = Setting(target, None, 20, output, seed, concurrency)
        workload = LlmServeEndpoint(setting, setting.ask())
        self.record = measure(workload, job, [meter] if meter else (), device=describe(target))
        self.requests = workload.requests
        self.ended = [process.returncode for process in workload._load._processes]
        self.spans = [(window.start_s, window.end_s) for window in self.record.windows]
        self.codes = {reason.code for reason in (*self.record.reasons, *self.record.warnings)}


@pytest.fixture
def job(short_job, monkeypatch):
    monkeypatch.setattr("bench.endpoint.workload.STEADY_BLOCK_S", 0.1)
    monkeypatch.setattr("bench.endpoint.server.watch.PERIOD_S", 0.1)
    monkeypatch.setattr("bench.endpoint.workload.measure_ceiling", lambda *_: None)  # it has tests of its own
    return short_job(windows=2, window_s=0.6, rate_floor_s=0.6)


@pytest.fixture
def long_job(short_job, job):  # noqa: ARG001 (its blocks and readings)
    """Return a job whose windows are long against a chunk of every stream, which may be on its way at their edges."""
    return short_job(windows=3, window_s=1.0, rate_floor_s=1.0)


def seed():
    return f"run {time.monotonic_ns()}"


def test_an_honest_server_has_no_code_and_the_figures_of_its_truth(long_job):
    """The truth is what the server counted in each window by its own clock, and the power that follows from it."""
    in_one_of(3, lambda: check_honest(long_job))


def check_honest(job):
    consumption = Consumption()
    with serving(Setup(token_s=0.01, first_token_s=0.05, per_chunk=4)) as server:
        meter = SimulatedMeter(server, consumption)
        meter.open()
        try:
            run = Run(server, job, concurrency=8, seed=seed(), meter=meter)
        finally:
            meter.close()
    assert run.record.status == "ok"
    assert {"several_tokens_per_chunk", "client_local"} <= run.codes
    assert unexplained(run.codes) <= {"several_tokens_per_chunk", "client_local", "no_idle"}
    assert set(run.record.endpoint.outcomes) == {"ok"}
    skip_where(run.codes, LATE)
    counted = [server.sent_between(*span) for span in run.spans]
    seconds = sum(end - start for start, end in run.spans)
    assert run.record.metrics["rate"].value == pytest.approx(sum(counted) / seconds, rel=0.02)
    prompts = sum(one.prompt_tokens for one in server.served if run.spans[0][0] <= one.arrived_s < run.spans[-1][1])
    truth_j = consumption.energy_j(seconds, prompts, sum(counted)) / sum(counted)
    assert run.record.metrics["energy_per_token_wall"].value == pytest.approx(truth_j, rel=0.02)


@pytest.mark.parametrize("style", ["vllm", "sglang", "llama.cpp", "tgi"])
def test_the_counters_of_each_page_are_those_of_the_server(style):
    """The tokens of finished requests agree to the token."""
    with serving(Setup(token_s=0.0, style=style)) as server:
        url = f"http://127.0.0.1:{server.port}"
        what = probe(read_target(url), None, seed())
        watch = ServerWatch(read_target(url))
        watch.start()
        load = Load([LoadPlan(what.service, what.ip, False, "", what.prompts(seed(), 8), (12,), arrivals_s=(0.0,) * 9)])
        until(lambda: len(load.requests) >= 9, load.check)
        load.stop()
        watch.stop()
    counted = difference(watch.readings[0].counters, watch.readings[-1].counters)
    assert watch.server == style
    assert counted.output_tokens == sum(request.output_tokens for request in load.requests) == 9 * 12
    assert counted.prompt_tokens in {9 * 8, None}
    assert counted.requests in {9, None}


def test_a_warm_prefix_cache_is_a_code(job):
    """vllm#52884: the same prompts again, from the cache, were 86 % faster."""
    used = seed()
    with serving(Setup(token_s=0.005, first_token_s=0.1, prefix_cache=True)) as server:
        cold = Run(server, job, concurrency=2, seed=used)
        warm = Run(server, job, concurrency=2, seed=used)
        other = Run(server, job, concurrency=2, seed=seed())
    assert "prefix_cached" not in cold.codes
    assert "prefix_cached" in warm.codes
    assert "prefix_cached" not in other.codes


def test_a_hidden_cap_of_a_hundred_is_a_code(job):
    with serving(Setup(token_s=0.02, first_token_s=0.02, cap=100, per_chunk=8)) as server:
        run = Run(server, job, concurrency=120, seed=seed())
    assert server.most_connections >= 120
    assert "hidden_cap" in run.codes


def test_a_queue_of_the_server_is_a_code(job):
    with serving(Setup(token_s=0.01, slots=3)) as server:
        run = Run(server, job, concurrency=6, seed=seed())
    assert "server_queues" in run.codes


def test_a_second_client_is_a_code(job):
    with serving(Setup(token_s=0.01, other_tokens_per_s=100.0)) as server:
        tokens = Run(server, job, concurrency=4, seed=seed())
    with serving(Setup(token_s=0.01, other_running=2)) as server:
        requests = Run(server, job, concurrency=4, seed=seed())
    assert "endpoint_shared" in tokens.codes
    assert "endpoint_shared" in requests.codes


def test_a_saturated_client_is_a_code(job):
    """The server computes nothing and answers in one piece, so that only the client limits the rate."""
    with serving(Setup(token_s=0.0, first_token_s=0.0)) as server:
        run = Run(server, job, concurrency=16, seed=seed(), output=1000)
    assert run.codes & {
        "client_bound",
        "server_overloaded",
        "server_silent",
    }  # on a crowded machine no answer may come back in a whole window
    assert run.ended == [0], "the load ended by itself, however many replies came while it was stopped"


def test_a_server_that_goes_away_amid_the_windows_leaves_no_rate(job, monkeypatch):
    waited, run_once = [], LlmServeEndpoint.run

    def run_and_leave(workload, n):
        waited.append(n)
        if len(waited) == 8:  # in a window: the load before the first takes three calls
            server.loop.call_soon_threadsafe(server.stop)
        return run_once(workload, n)

    monkeypatch.setattr(LlmServeEndpoint, "run", run_and_leave)
    with serving(Setup(token_s=0.005)) as server:
        run = Run(server, job, concurrency=4, seed=seed())
    assert len(waited) >= 8
    assert run.record.status == "failed" or "requests_failed" in run.codes
    assert run.record.status == "ok" or not run.record.metrics


def test_the_slots_begin_one_after_the_other_over_the_time_of_a_request(job):
    in_one_of(3, lambda: check_slots(job))  # a first start that is late comes close to the others


def check_slots(job):
    with serving(Setup(token_s=0.02, first_token_s=0.02)) as server:
        run = Run(server, job, concurrency=4, seed=seed())
    starts_s = sorted(request.start_ns for request in run.requests)[:4]
    assert (starts_s[3] - starts_s[0]) * 1e-9 >= 0.75 * 24 * 0.02 * 0.8


def test_a_load_whose_answers_take_longer_than_the_blocks_becomes_steady(long_job):
    """The tokens of a request are known once it has ended, so the last blocks always look as if the rate fell."""
    in_one_of(3, lambda: check_long_answers(long_job))


def check_long_answers(job):
    with serving(Setup(token_s=0.02, counts="usage")) as server:
        target = read_target(f"http://127.0.0.1:{server.port}")
        setting = Setting(target, None, 20, 120, seed(), 4, warm_up_s=40.0)
        workload = LlmServeEndpoint(setting, setting.ask())
        record = measure(workload, job, (), device=describe(target))
    assert workload.settled
    spans = [(window.start_s, window.end_s) for window in record.windows]
    skip_where({reason.code for reason in record.warnings}, LATE)
    sent = [server.sent_between(*span) for span in spans]
    assert [workload.work_between(*span) for span in spans] == pytest.approx(sent, rel=0.05)
