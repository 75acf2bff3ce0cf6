"""Exchanges without a thread: every way in which a device ends, breaks or withholds its reply."""

import asyncio
import json
import socket
import time

import pytest
from doubles.device import BasicLogin, DigestLogin, FakeDevice
from doubles.miners.server import FakeMiner
from doubles.miners.web import FakeWebMiner

from bench.levers import wire
from bench.levers.web import Web
from bench.levers.wire import NoReplyError, NotSentError, Remote, exchange, exchange_frame
from bench.network.errors import ReadFailedError
from bench.network.login import Login

REQUEST = b'{"command":"summary"}'
ANSWER = {"STATUS": [{"STATUS": "S", "Msg": 'a } in "text" ] and \\ more'}], "SUMMARY": [{"Elapsed": 7}], "id": 1}


@pytest.fixture
def miner():
    """Return a function that starts a miner on loopback; it ends with the test."""
    made = []

    def start(quirk="", **settings):
        made.append(FakeMiner({"summary": ANSWER, "get": ANSWER}, quirk=quirk, **settings))
        return made[-1]

    yield start
    for one in made:
        one.close()


def ask(fake, timeout_s=10.0, request=REQUEST, way=exchange):
    return asyncio.run(way(Remote("127.0.0.1", fake.port), request, timeout_s))


def wait_for_request(fake):
    while not fake.requests:
        time.sleep(0.001)


@pytest.mark.parametrize(
    "quirk", ["", "no_nul", "open", "open_after_nul", "open_after_line", "halves", "nul_within", "escapes"]
)
def test_a_whole_reply_is_read_however_it_ends(miner, quirk):
    raw = ask(miner(quirk))
    assert json.loads(raw.replace(b"\0", b"")) == ANSWER


@pytest.mark.parametrize("quirk", ["silent", "unbalanced"])
@pytest.mark.usefixtures("deadlines")
def test_a_reply_that_does_not_come_in_time_may_have_had_an_effect(miner, quirk):
    with pytest.raises(NoReplyError, match=r"no complete reply within 0.3 s"):
        ask(miner(quirk), 0.3)


def test_a_closed_connection_may_have_had_an_effect(miner):
    with pytest.raises(NoReplyError, match="closed the connection without a reply"):
        ask(miner("hang_up"))


@pytest.mark.parametrize(("quirk", "words"), [("huge", "longer than"), ("html", "web server"), ("http", "web server")])
def test_what_is_no_reply_of_a_miner_is_refused(miner, quirk, words):
    with pytest.raises(ReadFailedError, match=words):
        ask(miner(quirk))


def test_a_device_that_is_not_there_has_not_seen_the_request():
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    with pytest.raises(NotSentError) as caught:
        asyncio.run(exchange(Remote("127.0.0.1", port), REQUEST, 5.0))
    assert caught.value.code == "no_answer"


def test_a_frame_is_read_whole(miner):
    assert json.loads(ask(miner(framed=True), request=b'{"cmd":"get"}', way=exchange_frame)) == ANSWER


@pytest.mark.parametrize("reply", [b"\xff\xff\xff\x7f", b"\x05\x00\x00\x00abc", b""])
def test_a_frame_that_is_too_long_or_cut_is_refused(miner, reply):
    fake = miner("no_nul")
    fake.replies["summary"] = reply
    fake.replies[""] = reply
    with pytest.raises(ReadFailedError):
        ask(fake, request=REQUEST, way=exchange_frame)


def test_a_public_address_is_not_asked():
    with pytest.raises(NotSentError) as caught:
        asyncio.run(exchange(Remote("8.8.8.8", 4028), REQUEST, 5.0))
    assert caught.value.code == "public_address"


def test_a_name_without_an_address_is_an_error_of_one_line():
    with pytest.raises(NotSentError) as caught:
        asyncio.run(exchange(Remote("no-such-host.invalid", 4028), REQUEST, 5.0))
    assert caught.value.code == "no_host"


def test_many_devices_share_a_bounded_number_of_connections(miner, monkeypatch):
    monkeypatch.setattr(wire, "MOST_OPEN", 5)
    fake = miner()

    async def many():
        remote = Remote("127.0.0.1", fake.port)
        return await asyncio.gather(*(exchange(remote, REQUEST, 30.0) for _ in range(60)))

    assert len(asyncio.run(many())) == 60
    assert fake.most_open <= 5


def test_a_cancelled_exchange_closes_its_connection(miner):
    fake = miner("silent")

    async def cancelled():
        task = asyncio.create_task(exchange(Remote("127.0.0.1", fake.port), REQUEST, 60.0))
        await asyncio.to_thread(wait_for_request, fake)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(cancelled())


@pytest.mark.parametrize("login", [BasicLogin(), DigestLogin()])
def test_the_stated_login_is_used_and_a_nonce_is_used_again(login):
    device = FakeDevice({"/status": {"power": 7}}, login)

    async def twice():
        web = Web(Remote("127.0.0.1", device.port), Login("admin", "correct horse"))
        return [await web.ask("/status", 5.0) for _ in range(2)]

    try:
        answers = asyncio.run(twice())
    finally:
        device.close()
    assert [json.loads(answer.body) for answer in answers] == [{"power": 7}] * 2
    assert len(device.requests) == 3


def test_a_password_that_was_refused_is_not_sent_again_at_once():
    device = FakeDevice({"/status": {}}, BasicLogin())

    async def twice():
        web = Web(Remote("127.0.0.1", device.port), Login("admin", "wrong"))
        return [(await web.ask("/status", 5.0)).status for _ in range(2)]

    try:
        assert asyncio.run(twice()) == [401, 401]
    finally:
        device.close()
    assert [header is not None for _, header in device.requests] == [False, True, True]


def test_without_a_login_none_is_tried():
    device = FakeDevice({"/status": {}}, BasicLogin())
    try:
        answer = asyncio.run(Web(Remote("127.0.0.1", device.port)).ask("/status", 5.0))
    finally:
        device.close()
    assert answer.status == 401
    assert [header for _, header in device.requests] == [None]


def test_a_body_is_sent_with_its_method_and_length():
    fake = FakeWebMiner({"PATCH /api": lambda body: {"was": body}, "PUT /none": lambda body: {"was": body}})

    async def both():
        web = Web(Remote("127.0.0.1", fake.port))
        return [
            await web.ask("/api", 5.0, method="PATCH", body=b'{"a":1}'),
            await web.ask("/none", 5.0, method="PUT"),
        ]

    try:
        answers = asyncio.run(both())
    finally:
        fake.close()
    assert [json.loads(answer.body)["was"] for answer in answers] == [{"a": 1}, None]


@pytest.mark.parametrize(
    ("raw", "body"),
    [
        (b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}", b"{}"),
        (b"HTTP/1.0 200 OK\n\n{}", b"{}"),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\n{\r\n1;x=y\r\n}\r\n0\r\n\r\n", b"{}"),
        (b"HTTP/1.1 204 No Content\r\n\r\n", b""),
    ],
)
def test_a_body_ends_by_its_length_its_chunks_or_the_connection(raw, body):
    assert asyncio.run(Web(serve(raw)).ask("/", 5.0)).body == body


@pytest.mark.parametrize(
    "raw",
    [
        b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n{}",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n{}",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + b"x" * 500,
        b"SSH-2.0-OpenSSH\r\n\r\n",
        b"HTTP/1.1 " + b"x" * 40_000,
        b"HTTP/9 nonsense\r\n\r\n",
        b"",
    ],
)
def test_what_is_no_whole_http_answer_is_refused(raw):
    with pytest.raises(ReadFailedError):
        asyncio.run(Web(serve(raw)).ask("/", 5.0))


class serve(Remote):  # noqa: N801 (a remote that says one thing)
    """A host that sends some bytes to whoever asks, and closes."""

    def __init__(self, raw):
        listener = socket.create_server(("127.0.0.1", 0))
        super().__init__("127.0.0.1", listener.getsockname()[1])
        self._raw, self._listener = raw, listener

    async def address(self):
        asyncio.get_running_loop().create_task(self._answer())
        return await super().address()

    async def _answer(self):
        loop = asyncio.get_running_loop()
        self._listener.setblocking(False)
        connection, _ = await loop.sock_accept(self._listener)
        self._listener.close()
        with connection:
            await loop.sock_recv(connection, 65536)
            await loop.sock_sendall(connection, self._raw)
