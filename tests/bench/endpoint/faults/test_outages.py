"""Servers that send no more tokens during the windows: each run ends in one line that says what came instead."""

import time
from types import SimpleNamespace

import pytest
from doubles.endpoint.server import Setup, serving

from bench.endpoint.client.target import read_target
from bench.endpoint.device import describe
from bench.endpoint.load.load import ClientState
from bench.endpoint.load.messages import Request
from bench.endpoint.load.outage import check_windows
from bench.endpoint.setting import Setting
from bench.endpoint.workload import LlmServeEndpoint
from bench.measure.runner import measure


@pytest.fixture
def run(short_job, monkeypatch):
    """Measure a server that `change` alters once the load is steady; the record, and how long the windows lasted."""
    monkeypatch.setattr("bench.endpoint.workload.STEADY_BLOCK_S", 0.1)
    monkeypatch.setattr("bench.endpoint.workload.measure_ceiling", lambda *_: None)

    def call(change, *, window_s):
        setup, start = Setup(token_s=0.005), LlmServeEndpoint.start
        began_s = []

        def start_and_change(workload):
            start(workload)
            change(setup)
            began_s.append(time.monotonic())

        monkeypatch.setattr(LlmServeEndpoint, "start", start_and_change)
        with serving(setup) as server:
            target = read_target(f"http://127.0.0.1:{server.port}")
            setting = Setting(target, None, 8, 12, f"run {time.monotonic_ns()}", 2)
            job = short_job(windows=2, window_s=window_s, rate_floor_s=window_s)
            record = measure(LlmServeEndpoint(setting, setting.ask()), job, (), device=describe(target))
            (reason,) = record.reasons
            return record.status, reason.code, reason.detail, time.monotonic() - began_s[0]

    return call


def test_a_server_that_turns_to_errors_ends_the_run_early_and_what_comes_is_named(run, monkeypatch):
    monkeypatch.setattr("bench.endpoint.load.outage.ERRORS_S", 1.0)
    status, code, detail, took_s = run(lambda setup: setattr(setup, "fault", "html error"), window_s=50.0)
    assert (status, code) == ("failed", "server_failed")
    assert detail.startswith("for ")
    assert "s nothing but errors came: " in detail
    assert "HTTP status 502" in detail
    assert "\n" not in detail
    assert took_s < 50.0


def test_a_server_that_hangs_ends_the_run_early_and_is_no_failed_one(run, monkeypatch):
    monkeypatch.setattr("bench.endpoint.load.outage.ERRORS_S", 0.5)
    monkeypatch.setattr("bench.endpoint.load.outage.SILENT_S", 1.0)
    status, code, detail, took_s = run(lambda setup: setattr(setup, "fault", "silence"), window_s=50.0)
    assert (status, code) == ("failed", "server_silent")
    assert detail.endswith("s nothing came, with 2 requests under way")
    assert took_s < 50.0


@pytest.mark.parametrize(
    ("change", "code", "words"),
    [
        ({"fault": "html error"}, "server_failed", "HTTP status 502"),
        ({"fault": "silence"}, "server_silent", "nor until the end of the load"),
    ],
)
def test_a_window_without_a_token_says_what_came(run, change, code, words):
    """The windows are over before the run would have ended early."""

    def alter(setup):
        for name, value in change.items():
            setattr(setup, name, value)

    status, seen, detail, _ = run(alter, window_s=1.0)
    assert (status, seen) == ("failed", code)
    assert "no token came in window " in detail
    assert words in detail


def request(end_s, outcome="ok"):
    return Request(0, 0, 0, round(end_s * 1e9), outcome, "", 10, 0.0, "none", 0, None, None, 0)


@pytest.mark.parametrize(
    ("last_text_s", "failed", "code"),
    [
        (5.0, [], "server_overloaded"),
        (1.0, [], "server_silent"),
        (5.0, [3.5], "server_failed"),
        (5.0, [4.5], "server_overloaded"),
    ],
)
def test_a_window_without_a_token_is_overload_where_tokens_come_later(last_text_s, failed, code):
    """The window lasts from 3 to 4 s; a request that fails after it does not explain it."""
    load = SimpleNamespace(
        requests=[request(1.0), *(request(at_s, "error_http") for at_s in failed)],
        state=ClientState(last_text_s=last_text_s),
        tokens_between=lambda start_s, end_s: float(start_s <= 1.0 < end_s),
    )
    with pytest.raises(Exception, match="no token came in window 1, of 1 s") as raised:
        check_windows(load, [(0.5, 1.5), (3.0, 4.0)])
    assert raised.value.code == code
