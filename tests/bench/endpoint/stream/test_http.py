"""HTTP/1.1 responses, split at every byte."""

import gzip

import pytest

from bench.endpoint.stream.http import BadHttpError, ResponseDecoder

CHUNKED = (
    b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n"
    b"5\r\nhello\r\n6;note=1\r\n world\r\n0\r\nTrailer: 1\r\n\r\n"
)
BODIES = {
    "chunked": CHUNKED,
    "length": b"HTTP/1.1 200 OK\r\ncontent-length: 11\r\n\r\nhello world",
    "until close": b"HTTP/1.0 200 OK\r\n\r\nhello world",
    "after a 100": b"HTTP/1.1 100 Continue\r\n\r\n" + CHUNKED,
    "gzip": b"HTTP/1.1 200\r\nContent-Encoding: gzip\r\n\r\n" + gzip.compress(b"hello world"),
}


def decode(pieces):
    decoder = ResponseDecoder()
    body = b"".join(decoder.feed(piece) for piece in pieces)
    decoder.close()
    return body, decoder


@pytest.mark.parametrize("name", BODIES)
def test_a_split_at_any_byte_changes_nothing(name):
    whole = BODIES[name]
    for at in range(1, len(whole)):
        body, decoder = decode([whole[:at], whole[at:]])
        assert (body, decoder.status, decoder.complete, decoder.surplus) == (b"hello world", 200, True, b""), at


def test_a_body_that_ends_early_is_not_complete():
    for name in ("chunked", "length"):
        body, decoder = decode([BODIES[name][:-4]])
        assert not decoder.complete
        assert b"hello world".startswith(body)


def test_bytes_after_the_stated_length_are_kept_apart():
    body, decoder = decode([b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello world"])
    assert (body, decoder.complete, decoder.surplus) == (b"hello", True, b" world")


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        (b"<html>", "expected an HTTP/1.1 response"),
        (b"SSH-2.0-OpenSSH\r\n\r\n", "expected an HTTP/1.1 response"),
        (b"HTTP/1.1 OK\r\n\r\n", "expected an HTTP/1.1 response"),
        (b"HTTP/1.1 200 OK\r\n" + b"x" * 70000, "longer than 65536"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n", "length of the body"),
        (b"HTTP/1.1 200 OK\r\nContent-Encoding: br\r\n\r\n", "encoding 'br'"),
        (b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\n\r\nplain text", "compressed body is damaged"),
        (CHUNKED.replace(b"5\r\n", b"five\r\n"), "size of a chunk"),
        (CHUNKED.replace(b"5\r\n", b"3\r\n"), "end of a chunk"),
    ],
)
def test_what_is_not_http_is_refused(answer, message):
    with pytest.raises(BadHttpError, match=message):
        decode([answer])


def test_a_response_without_a_body_is_complete():
    for head in (b"HTTP/1.1 204 No Content\r\n\r\n", b"HTTP/1.1 429 Slow\r\nContent-Length: 0\r\n\r\n"):
        assert decode([head])[1].complete
