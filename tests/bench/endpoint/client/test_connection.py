"""The client against real sockets: the null server, and servers that go wrong."""

import asyncio
import contextlib
import time

import pytest
from doubles.crowded import LONG_S, in_one_of

from bench.endpoint.ceiling.null_server import Answer, NullServer
from bench.endpoint.client.connection import Address, Connection, Intake
from bench.endpoint.stream.reply import ReplyReader

REQUEST = b"POST /v1/completions HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\n{}"
STREAM = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n"


def connection(port):
    return Connection(Address("127.0.0.1", port, "127.0.0.1"), Intake())


@contextlib.asynccontextmanager
async def answering(answer, *, close=False, together=1):
    """Run a server that answers with these bytes once `together` requests wait; yield its port and its connections."""
    connections, tasks = [], []
    all_there = asyncio.Event()

    async def serve(reader, writer):
        tasks.append(asyncio.current_task())
        connections.append(writer)
        with contextlib.suppress(asyncio.IncompleteReadError, ConnectionError):
            while await reader.readuntil(b"{}"):
                if len(connections) >= together:
                    all_there.set()
                await all_there.wait()
                writer.write(answer)
                if close:
                    break
        writer.close()
        with contextlib.suppress(ConnectionError):
            await writer.wait_closed()

    server = await asyncio.start_server(serve, "127.0.0.1", 0, backlog=512)
    yield server.sockets[0].getsockname()[1], connections
    server.close()
    await asyncio.gather(*tasks)
    await server.wait_closed()


def test_replies_come_whole_and_the_connection_is_used_again():
    async def run():
        server = NullServer(Answer(tokens=50))
        client = connection(await server.start())
        exchanges = [await client.request(REQUEST, LONG_S) for _ in range(3)]
        open_connections = len(server.streams)
        client.close()
        server.stop()
        return exchanges, open_connections

    exchanges, open_connections = asyncio.run(run())
    assert [exchange.reply.outcome(50) for exchange in exchanges] == ["ok"] * 3
    assert [len(exchange.reply.chunks) for exchange in exchanges] == [50] * 3
    assert open_connections == 1
    assert exchanges[0].connect_ns > 0 == exchanges[1].connect_ns == exchanges[2].connect_ns


def test_tokens_have_the_times_at_which_the_server_sent_them():
    async def run():
        server = NullServer(Answer(tokens=20, token_s=0.01, first_token_s=0.03))
        client = connection(await server.start())
        exchange = await client.request(REQUEST, LONG_S)
        client.close()
        server.stop()
        return exchange

    exchange = asyncio.run(run())
    first, last = exchange.reply.chunks[0].time_ns, exchange.reply.chunks[-1].time_ns
    assert first - exchange.sent_ns >= 0.03e9
    assert last - exchange.sent_ns >= (0.03 + 19 * 0.01) * 1e9


def test_reads_that_are_ready_together_are_stamped_before_any_of_them_is_parsed(monkeypatch):
    """tokenomics#16: a stamp after the parsing of the others made the last stream of a batch look late."""
    parse_s, feed = 0.02, ReplyReader.feed

    def slow(reader, read):
        time.sleep(parse_s)  # the loop stands still, as under a long parse
        feed(reader, read)

    async def run():
        server = NullServer(Answer(tokens=1, first_token_s=0.2))
        port = await server.start()
        intake = Intake()
        clients = [Connection(Address("127.0.0.1", port, "127.0.0.1"), intake) for _ in range(10)]
        monkeypatch.setattr(ReplyReader, "feed", slow)
        exchanges = await asyncio.gather(*(client.request(REQUEST, LONG_S) for client in clients))
        for client in clients:
            client.close()
        server.stop()
        return [exchange.reply.chunks[-1].time_ns for exchange in exchanges]

    def trial():
        stamps_ns = asyncio.run(run())
        monkeypatch.setattr(ReplyReader, "feed", feed)
        assert max(stamps_ns) - min(stamps_ns) < 5 * parse_s * 1e9

    in_one_of(3, trial)


def test_three_hundred_streams_run_at_once():
    answer = STREAM + b'Content-Length: 37\r\n\r\ndata: {"choices": [{"text": "a"}]}\n\n\n'

    async def run():
        async with answering(answer, together=300) as (port, _):
            clients = [connection(port) for _ in range(300)]
            exchanges = await asyncio.gather(*(client.request(REQUEST, LONG_S) for client in clients))
            for client in clients:
                client.close()
        return [len(exchange.reply.chunks) for exchange in exchanges]

    assert asyncio.run(run()) == [1] * 300


@pytest.mark.parametrize(
    ("answer", "close", "outcome"),
    [
        (STREAM + b"Content-Length: 900\r\n\r\ndata: {}\n\n", True, "empty"),
        (STREAM + b'\r\ndata: {"choices": [{"text": "a"}]}\n\n', True, "truncated"),
        (b"HTTP/1.1 503 Loading\r\nContent-Length: 0\r\n\r\n", False, "error_http"),
        (b"<html>", False, "malformed"),
        (b"", True, "empty"),
        (STREAM + b"\r\n", False, "timeout"),
    ],
)
def test_a_reply_that_goes_wrong_has_its_outcome_and_the_next_request_a_new_connection(answer, close, outcome):
    async def run():
        async with answering(answer, close=close) as (port, connections):
            client = connection(port)
            limit_s = 0.2 if outcome == "timeout" else LONG_S
            outcomes = [(await client.request(REQUEST, limit_s)).reply.outcome() for _ in range(2)]
            client.close()
        return outcomes, len(connections)

    outcomes, connections = asyncio.run(run())
    assert connections == (1 if outcome == "error_http" else 2)
    assert outcomes == [outcome] * 2


def test_a_kept_connection_that_the_server_has_closed_is_opened_again():
    answer = STREAM + b'Content-Length: 37\r\n\r\ndata: {"choices": [{"text": "a"}]}\n\n\n'

    async def run():
        async with answering(answer, close=True) as (port, connections):
            client = connection(port)
            replies = [(await client.request(REQUEST, LONG_S)).reply for _ in range(200)]
            client.close()
        return [len(reply.chunks) for reply in replies], len(connections)

    chunks, connections = asyncio.run(run())
    assert chunks == [1] * 200
    assert connections == 200


def test_no_server_is_a_refusal_with_its_reason():
    async def run():
        server = await asyncio.start_server(lambda *_: None, "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        server.close()
        await server.wait_closed()
        return await connection(port).request(REQUEST, LONG_S)

    exchange = asyncio.run(run())
    assert exchange.reply.outcome() == "refused"
    assert "refused" in exchange.reply.error.lower()
