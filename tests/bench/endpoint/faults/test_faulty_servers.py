"""Servers that go wrong as a whole: certificates, loading, refusals, an end amid the run; each has its message."""

import shutil
import ssl
import subprocess
import time

import pytest
from doubles.crowded import until
from doubles.endpoint.server import Setup, serving

from bench.endpoint.client.probe import probe
from bench.endpoint.client.target import read_target
from bench.endpoint.errors import TokensNotCountedError
from bench.endpoint.figures.summary import split
from bench.endpoint.load.load import Load, split_arrivals, split_slots
from bench.endpoint.load.plan import LoadPlan
from bench.endpoint.load.worker import FAILED_PAUSE_S
from bench.endpoint.server.checks import check_requests
from bench.endpoint.setting import Setting
from bench.endpoint.workload import LlmServeEndpoint
from bench.errors import RunFailedError


@pytest.fixture(scope="module")
def certificate(tmp_path_factory):
    """A self-signed certificate of the loopback address, and its key."""
    if shutil.which("openssl") is None:
        pytest.skip("openssl is not installed")
    folder = tmp_path_factory.mktemp("tls")
    names = [str(folder / "cert.pem"), str(folder / "key.pem")]
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "30", "-subj", "/CN=double", "-addext",
         "subjectAltName=IP:127.0.0.1", "-out", names[0], "-keyout", names[1]], check=True, capture_output=True,
    )  # fmt: skip
    return names


def known(server, **fields):
    url = f"http://127.0.0.1:{server.port}"
    return probe(read_target(url), None, f"test {time.monotonic_ns()}", **fields)


def plan_for(server, lengths=(12,), **more):
    what = known(server)
    return LoadPlan(what.service, what.ip, False, "", what.prompts(f"{time.monotonic_ns()}", 8), lengths, **more)


def test_a_self_signed_certificate_is_refused_and_its_own_authority_accepts_it(certificate):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*certificate)
    with serving(Setup(token_s=0.0), tls=context) as server:
        server.loop.call_soon_threadsafe(server.loop.set_exception_handler, lambda *_: None)
        url = f"https://127.0.0.1:{server.port}"
        with pytest.raises(RunFailedError, match="certificate") as refused:
            probe(read_target(url), None, "seed")
        assert "\n" not in str(refused.value)
        target = read_target(url, ca_file=certificate[0])
        what = probe(target, None, "seed")
        assert what.source == "token_ids"
        plan = LoadPlan(what.service, what.ip, True, certificate[0], what.prompts("seed", 8), (12,))
        load = Load(split_slots(plan, 2))
        until(lambda: len(load.requests) >= 6, load.check)
        load.stop()
        assert {r.outcome for r in load.requests if not r.unfinished} == {"ok"}
        distrusted = Load(split_slots(LoadPlan(**{**vars_of(plan), "ca_file": ""}), 1))
        until(lambda: distrusted.requests, distrusted.check)
        distrusted.stop()
    assert distrusted.requests[0].outcome == "refused"
    assert distrusted.requests[0].error.startswith("TLS: ")


def test_a_server_with_tls_that_is_named_without_it_has_its_cure(certificate):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*certificate)
    with serving(Setup(token_s=0.0), tls=context) as server:
        server.loop.call_soon_threadsafe(server.loop.set_exception_handler, lambda *_: None)
        with pytest.raises(RunFailedError, match=r"if it speaks TLS, begin the address with https:$") as failed:
            known(server)
    assert "RemoteDisconnected" not in str(failed.value)


def test_a_trusted_certificate_of_another_name_is_told_from_an_unknown_one(certificate):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*certificate)
    with serving(Setup(token_s=0.0), tls=context) as server:
        server.loop.call_soon_threadsafe(server.loop.set_exception_handler, lambda *_: None)
        url = f"https://localhost:{server.port}"
        with pytest.raises(RunFailedError, match="name the server in --url as its certificate does"):
            probe(read_target(url, ca_file=certificate[0]), None, "seed")
        with pytest.raises(RunFailedError, match="--ca-file names the certificates to trust"):
            probe(read_target(url), None, "seed")


@pytest.mark.parametrize(
    ("fault", "words"),
    [
        ("status 503", "503: Loading model"),
        ("status 429", "429: slow down"),
        ("redirect", "HTTP status 307"),
        ("html", "text/html"),
        ("empty stream", "no text and no tokens"),
        ("cut", "ended before its end mark"),
        ("damaged json", "expected a JSON object in an event"),
        ("error first", "out of memory"),
    ],
)
def test_a_server_that_answers_no_request_well_is_one_line(fault, words):
    with serving(Setup(fault=fault)) as server, pytest.raises(RunFailedError, match="refuses the plainest") as failed:
        known(server)
    assert words in str(failed.value)
    assert "\n" not in str(failed.value)


def test_a_server_that_states_no_tokens_is_not_measured():
    """sglang#10746, nvcf#1826: other clients take the requested length instead."""
    with serving(Setup(counts="none")) as server:
        asked = setting(server)
        workload = LlmServeEndpoint(asked, asked.ask())
        workload.prepare()
        with pytest.raises(TokensNotCountedError, match="no `usage`"):
            workload.verify()


@pytest.mark.parametrize("field", ["return_token_ids", "stream_options", "ignore_eos", "min_tokens", "cache_prompt"])
def test_a_field_that_the_server_rejects_is_not_sent(field):
    with serving(Setup(rejected=(field,), token_s=0.0)) as server:
        what = known(server)
        assert server.requests > 5
        sent = server.bodies
        assert any(field in body for body in sent)
        assert field not in sent[-1]
    assert what.service.interface == "completions"


def test_a_newer_name_of_the_length_is_tried_where_the_older_one_is_rejected():
    """guidellm#477: one name was ignored by old servers."""
    with serving(Setup(rejected=("max_tokens",), token_s=0.0)) as server:
        assert known(server).service.length_field == "max_completion_tokens"


def test_a_server_that_ignores_the_length_is_known_and_its_answers_are_short():
    """SambaNova, Ollama: `ignore_eos` is accepted and does nothing."""
    with serving(Setup(stop_after=5, token_s=0.0)) as server:
        assert not known(server).honours_length
        load = Load(split_slots(plan_for(server), 2))
        until(lambda: len(load.requests) >= 20, load.check)
        load.stop()
    requests = split(load.requests, [(0.0, time.monotonic())])
    reasons = {reason.code: reason.detail for reason in check_requests(requests, 2, free_length=False)}
    assert requests.outcomes == {"short": len(requests.windows[0].ended)}
    assert "length_ignored" in reasons
    assert "length_ignored" not in {r.code for r in check_requests(requests, 2, free_length=True)}
    assert {request.output_tokens for request in load.requests if not request.unfinished} == {5.0}


@pytest.mark.parametrize("fault", ["status 429", "status 503", "redirect", "empty stream", "html"])
def test_a_slot_waits_after_a_refusal_instead_of_asking_at_once(fault):
    setup = Setup(token_s=0.0, first_token_s=0.0)
    with serving(setup) as server:
        plan = plan_for(server)
        setup.fault = fault
        before = server.requests
        began_s = time.monotonic()
        load = Load(split_slots(plan, 2))
        until(lambda: len(load.requests) >= 4, load.check)
        load.stop()
        took_s = time.monotonic() - began_s
        assert server.requests - before <= 2 * (1 + took_s / FAILED_PAUSE_S)
    assert took_s >= FAILED_PAUSE_S


def test_failures_have_no_latency_and_their_share_is_stated():
    """guidellm#444, vllm#57519: failed streams counted as good ones, and made the means better."""
    setup = Setup(token_s=0.002)
    with serving(setup) as server:
        plan = plan_for(server)
        setup.fault, setup.faulty = "error amid", lambda number: number % 4 == 0
        load = Load(split_slots(plan, 4))
        until(lambda: len(load.requests) >= 80, load.check)
        load.stop()
    requests = split(load.requests, [(0.0, time.monotonic())])
    (window,) = requests.windows
    failed = requests.outcomes["error_stream"]
    assert failed / len(window.ended) == pytest.approx(0.25, abs=0.1)
    assert requests.latencies()["ttft_q50"].n == len(window.ended) - failed
    assert requests.other_work()["request"] == [len(window.ended) - failed]
    (reason,) = [r for r in check_requests(requests, 4, free_length=False) if r.code == "requests_failed"]
    assert "out of memory" in reason.detail
    assert "error_stream" in reason.detail


def test_a_server_that_goes_away_amid_the_load_leaves_its_tokens_and_refusals():
    with serving(Setup(token_s=0.02)) as server:
        load = Load(split_slots(plan_for(server, (200,)), 4))
        until(lambda: load.state.in_flight == 4 and server.output_tokens > 200, load.check)
        gone_s = time.monotonic()
        server.loop.call_soon_threadsafe(server.stop)
        until(lambda: sum(r.outcome == "refused" for r in load.requests) >= 4, load.check)
        load.stop()
    cut = [request for request in load.requests if request.outcome == "truncated"]
    assert len(cut) == 4
    assert all(0 < request.output_tokens < 200 for request in cut)
    assert load.tokens_between(gone_s - 1.0, gone_s + 1.0) > 0
    requests = split(load.requests, [(0.0, time.monotonic())])
    assert "requests_failed" in {r.code for r in check_requests(requests, 4, free_length=False)}
    assert requests.latencies() == {}


def test_a_server_that_comes_back_is_used_again():
    with serving(Setup(token_s=0.001)) as server:
        plan, port = plan_for(server), server.port
        load = Load(split_slots(plan, 2))
        until(lambda: len(load.requests) >= 4, load.check)
        server.loop.call_soon_threadsafe(server.stop)
        until(lambda: any(r.outcome == "refused" for r in load.requests), load.check)
    with serving(Setup(token_s=0.001), port=port):
        seen = len(load.requests)
        until(lambda: any(r.outcome == "ok" for r in load.requests[seen:]), load.check)
        load.stop()


def test_latencies_of_an_open_loop_grow_with_the_queue():
    """vllm#54101: a clock that starts when a request leaves the client's own queue hides three quarters of the wait."""
    with serving(Setup(token_s=0.02, first_token_s=0.02, slots=1)) as server:
        plan = plan_for(server, (5,))
        load = Load(split_arrivals(plan, [0.01 * number for number in range(30)]))
        until(lambda: len(load.requests) == 30, load.check)
        load.stop()
    waits = [request.ttft_s for request in sorted(load.requests, key=lambda request: request.index)]
    assert waits[-1] > waits[15] > waits[0]
    assert waits[-1] > 29 * 0.1 - 29 * 0.01


def setting(server, **more):
    target = read_target(f"http://127.0.0.1:{server.port}")
    return Setting(target, None, 8, 12, f"seed {time.monotonic_ns()}", **{"concurrency": 2, **more})


def vars_of(plan):
    return {name: getattr(plan, name) for name in plan.__dataclass_fields__}
