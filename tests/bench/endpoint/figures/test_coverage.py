"""Intervals hold what they promise: over many seeds they cover the truth, and the point estimates are not biased.

Most of it needs no real time: replies with drawn stamps go through the functions of the client. A few seeds run over
sockets, where the truth is the server's own stamps.
"""

import statistics
import time

import pytest
from doubles.crowded import in_one_of, until
from doubles.endpoint.server import Setup, serving
from doubles.endpoint.synthetic import Server, coverage, run, truths

from bench import limits
from bench.endpoint.client.prompts import PromptSource
from bench.endpoint.client.requests import Service
from bench.endpoint.figures.summary import split
from bench.endpoint.load.load import Load, split_slots
from bench.endpoint.load.plan import LoadPlan

pytestmark = pytest.mark.slow

SEEDS = 200
NOT_BELOW = 0.95  # the draws are those of the seeds, so that the share is always the same


@pytest.mark.parametrize("server", [Server(per_chunk=16), Server(per_chunk=4, first_sd=0.6)], ids=["16", "4"])
def test_intervals_cover_the_truth(server):
    """Tokens per second, joules per token with a meter's own error, and the medians of TTFT and TPOT."""
    for name, (share, error) in coverage(server, range(SEEDS)).items():
        assert share >= NOT_BELOW, name
        assert abs(error) < 0.005, name


def test_each_run_has_the_tokens_of_its_own_windows():
    """Whatever was drawn, the count differs from an exact one only by the milliseconds at the edges."""
    for seed in range(10):
        figures, exact = run(Server(per_chunk=4), seed)
        assert figures["rate"].value == pytest.approx(sum(outputs for _, outputs in exact) / 60.0, rel=0.0005)


@pytest.mark.parametrize("seed", range(3))
def test_the_time_per_token_is_the_same_for_one_four_and_sixteen_tokens_a_chunk(seed):
    medians = [run(Server(per_chunk=count), seed)[0]["tpot_q50"].value for count in (1, 4, 16)]
    assert medians == pytest.approx([medians[0]] * 3, rel=1e-6)


def test_changes_of_speed_that_last_as_long_as_a_window_are_reported():
    """Three windows cannot show what is slower than they are: the interval is too narrow, and the spread says so."""
    slow = Server(per_chunk=16, mood_sd=0.05, mood_s=20.0)
    figures = [run(slow, seed)[0] for seed in range(60)]
    inside = [f["rate"].interval_95[0] <= truths(slow)["rate"] <= f["rate"].interval_95[1] for f in figures]
    told = [f["rate"].relative_sd_frac > limits.SPREAD_NOTED_FRAC for f in figures]
    assert statistics.fmean(told) > 0.8
    assert statistics.fmean(inside) < 0.95
    assert statistics.fmean([one or other for one, other in zip(inside, told, strict=True)]) > 0.9


@pytest.mark.parametrize("per_chunk", [1, 4, 16])
def test_figures_over_sockets_are_those_of_the_server(per_chunk):
    """The truth is the server's stamps. A client that was too late for it, on a busy machine, is `client_bound`."""
    setup = Setup(token_s=0.01, first_token_s=0.1, per_chunk=per_chunk)
    in_one_of(3, lambda: _check(setup, per_chunk))  # the server's own stamps are late, too, while others use the cores


def _check(setup, per_chunk):
    """Compare the figures of one run with the truth; a client that was too late has no figures."""
    with serving(setup) as server:
        service = Service("127.0.0.1", server.port, "", "double", fields=frozenset({"token_ids"}))
        prompts = PromptSource(f"{time.monotonic_ns()}", vocabulary=30_000, prompt_tokens=20)
        plan = LoadPlan(service, "127.0.0.1", False, "", prompts, (28, 32, 36), stagger_s=0.05)
        load = Load(split_slots(plan, 8))
        until(lambda: len(load.requests) >= 16, load.check)
        start_s = time.monotonic()
        load.forget_lag()
        time.sleep(3.0)
        largest_lag_s = load.state.largest_lag_s
        load.stop()
    if largest_lag_s > limits.CLIENT_LAG_S / 2.0:
        pytest.skip(f"crowded machine: the client was {largest_lag_s:.3f} s late, so its run has no figures")
    _compare(server, load, [(start_s + i, start_s + i + 1.0) for i in range(3)], per_chunk)


def _compare(server, load, spans, per_chunk):
    """Compare the figures with the truth about the same requests."""
    counted = server.sent_between(spans[0][0], spans[-1][1])
    edge = 8 * per_chunk / counted if per_chunk > 1 else 0.0  # a chunk of each stream may be on its way
    assert load.tokens_between(spans[0][0], spans[-1][1]) == pytest.approx(counted, rel=0.005 + edge)
    requests = split(load.requests, spans)
    ended = {request.end_ns for window in requests.windows for request in requests.good(window)}
    first_ns, last_ns = min(ended), max(ended)
    sent_whole = [one for one in server.served if sum(one.sent_tokens) in (28, 32, 36)]
    whole = [one for one in sent_whole if first_ns <= one.sent_s[-1] * 1e9 + 1e6 <= last_ns + 2e6]
    ttft_s = statistics.median(one.sent_s[0] - one.arrived_s for one in whole)
    tpot_s = statistics.median((one.sent_s[-1] - one.sent_s[0]) / (sum(one.sent_tokens) - per_chunk) for one in whole)
    figures = requests.latencies()
    low, high = figures["ttft_q50"].interval_95
    assert low <= ttft_s <= high
    low, high = figures["tpot_q50"].interval_95
    assert low <= tpot_s <= high
    assert figures["tpot_q50"].value == pytest.approx(tpot_s, rel=0.005)
