"""The ceiling of the client: a saturated client is known by it alone, and an honest slow server is no such client."""

import asyncio
import contextlib
import os
import subprocess
import sys
import time

import pytest
from doubles.crowded import in_one_of
from doubles.endpoint.server import Setup, serving

from bench.endpoint.ceiling import ceiling
from bench.endpoint.ceiling.ceiling import Replies, measure_ceiling
from bench.endpoint.ceiling.null_server import Answer, NullServer
from bench.endpoint.client.connection import Address, Connection, Intake
from bench.endpoint.client.prompts import PromptSource
from bench.endpoint.client.requests import Service, message
from bench.endpoint.client.target import read_target
from bench.endpoint.device import describe
from bench.endpoint.figures.tokens import token_times
from bench.endpoint.load.load import split_slots
from bench.endpoint.load.plan import LoadPlan
from bench.endpoint.setting import Setting
from bench.endpoint.workload import LlmServeEndpoint
from bench.measure.runner import measure

SERVICE = Service("192.0.2.1", 9, "/path", "null", fields=frozenset({"token_ids"}), api_key="secret")
HOGS = 2 * (os.cpu_count() or 1)


def plans(slots, processes=None):
    source = PromptSource("seed", words=5)
    return split_slots(LoadPlan(SERVICE, "192.0.2.1", True, "", source, (64,)), slots, processes)


@contextlib.contextmanager
def crowded(count):
    """Keep every core busy with other processes."""
    code = "import sys, threading\nthreading.Thread(target=sys.stdin.read, daemon=False).start()\n"
    code += "while threading.active_count() > 1: pass\n"
    hogs = [subprocess.Popen([sys.executable, "-c", code], stdin=subprocess.PIPE) for _ in range(count)]
    try:
        yield
    finally:
        for hog in hogs:
            hog.kill()
            hog.communicate()


@pytest.fixture
def run(short_job, monkeypatch):
    """Measure a server, and return the record and its codes; neither busy time nor delay of the client's loop tells."""
    monkeypatch.setattr("bench.limits.CLIENT_CPU_FRAC", 99.0)
    monkeypatch.setattr("bench.limits.CLIENT_LAG_S", 99.0)
    monkeypatch.setattr("bench.endpoint.workload.STEADY_BLOCK_S", 0.2)

    def call(setup, *, concurrency, output, window_s=1.0):
        with serving(setup) as server:
            target = read_target(f"http://127.0.0.1:{server.port}")
            setting = Setting(target, None, 20, output, f"ceiling {time.monotonic_ns()}", concurrency)
            workload = LlmServeEndpoint(setting, setting.ask())
            job = short_job(windows=2, window_s=window_s, rate_floor_s=window_s)
            record = measure(workload, job, device=describe(target))
        return record, {reason.code: reason.detail for reason in (*record.reasons, *record.warnings)}

    return call


@pytest.mark.slow
@pytest.mark.parametrize("hogs", [0, HOGS])
def test_a_saturated_client_is_found_by_its_ceiling(run, hogs):
    """The server answers in one piece and computes nothing, so that only the client limits the rate."""

    def trial():
        record, codes = run(Setup(token_s=0.0, first_token_s=0.0), concurrency=16, output=200)
        assert "that it takes from a server without work" in codes.get("client_bound", "")
        assert record.endpoint.client.ceiling.streams == 16

    with crowded(hogs):
        in_one_of(3, trial)  # other work that comes or goes between the run and the drive moves either


@pytest.mark.slow
@pytest.mark.parametrize("hogs", [0, HOGS])
def test_an_honest_slow_server_is_no_limit_of_the_client(run, hogs):
    with crowded(hogs):
        record, codes = run(Setup(token_s=0.02, first_token_s=0.02), concurrency=8, output=12)
    assert "client_bound" not in codes
    found = record.endpoint.client.ceiling
    assert found.tokens_per_s == pytest.approx(found.chunks_per_s)
    assert found.tokens_per_s > 4 * record.rate.value
    assert found.streams == 8


def test_the_ceiling_is_that_of_the_chunks_of_the_run(monkeypatch):
    monkeypatch.setattr(ceiling, "SECONDS", 0.2)
    found = measure_ceiling(plans(4, 2), Replies(tokens=40, tokens_per_chunk=3.6, chunk_bytes=2000), 0.0)
    assert found.streams == 4
    assert found.chunk_bytes == pytest.approx(2000, abs=40)
    assert found.tokens_per_s == pytest.approx(3.6 * found.chunks_per_s)
    assert found.seconds >= 0.2


@pytest.mark.parametrize(("rate_per_s", "times", "counts"), [(90.0, 1, 100.0), (110.0, 2, 300.0)])
def test_a_client_that_seems_to_be_the_limit_is_driven_once_more(monkeypatch, rate_per_s, times, counts):
    """Other work may have slowed the first drive; the limit is half of the ceiling."""
    drives = [100.0, 300.0]
    monkeypatch.setattr(ceiling, "drive", lambda *_: drives.pop(0))
    found = measure_ceiling(plans(2), Replies(tokens=10, tokens_per_chunk=2, chunk_bytes=100), rate_per_s)
    assert len(drives) == 2 - times
    assert found.chunks_per_s == counts
    assert found.tokens_per_s == 2 * counts


def test_a_client_whose_null_server_does_not_start_has_no_ceiling(monkeypatch):
    monkeypatch.setattr(ceiling, "_CODE", "raise SystemExit(3)")
    assert measure_ceiling(plans(2), Replies(10, 1, 100), 0.0) is None


def test_the_load_ends_at_once_however_fast_the_server_is():
    """A reply that came with the end of the load once kept its slot going, and the process had to be killed."""
    began_s = time.monotonic()
    for slots in (1, 3, 8):
        assert measure_ceiling(plans(slots), Replies(20, 1, 0), 0.0) is not None
    assert time.monotonic() - began_s < 45.0


@pytest.mark.parametrize(
    ("answer", "tokens"),
    [
        (Answer(), 12),
        (Answer(tokens=30, tokens_per_chunk=4), 32),
        (Answer(chunk_bytes=70_000), 12),
        (Answer(chunks_per_write=5), 12),
        (Answer(chunks_per_write=12), 12),
        (Answer(chunks_per_write=500), 12),
        (Answer(tokens_per_chunk=5, chat=True), 10),
        (Answer(tokens=3, token_s=0.01, first_token_s=0.05), 3),
    ],
)
def test_the_null_server_answers_as_a_server_does(answer, tokens):
    """A whole number of chunks; each request as many tokens as it asks for, unless the length is fixed."""

    async def ask():
        server = NullServer(answer)
        port = await server.start()
        client = Connection(Address("127.0.0.1", port, "127.0.0.1"), Intake())
        service = Service("127.0.0.1", port, "", "null", "chat" if answer.chat else "completions")
        exchanges = [await client.request(message(service, "one two", 12), 10.0) for _ in range(2)]
        client.close()
        server.stop()
        return exchanges

    for exchange in asyncio.run(ask()):
        reply = exchange.reply
        assert reply.outcome() == "ok"
        assert token_times(reply).total == tokens
        assert (reply.chunks[0].time_ns - exchange.sent_ns) * 1e-9 >= answer.first_token_s
        assert reply.read_bytes >= answer.chunk_bytes * len(reply.chunks)


def test_a_client_that_does_not_read_stops_the_null_server_at_a_bounded_buffer():
    async def ask():
        server = NullServer(Answer(tokens=10**6, chunk_bytes=10_000))
        reader, writer = await asyncio.open_connection("127.0.0.1", await server.start())
        writer.write(b"POST /v1/completions HTTP/1.1\r\nContent-Length: 2\r\n\r\n{}")
        for _ in range(200):
            await asyncio.sleep(0.002)
        (stream,) = server.streams
        kept = stream._transport.get_write_buffer_size()
        got = len(await reader.readexactly(10**7))
        writer.close()
        server.stop()
        return kept, got

    kept, got = asyncio.run(ask())
    assert kept < 300_000
    assert got == 10**7
