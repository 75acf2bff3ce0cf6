"""What is no inference server is named by what it answers."""

import contextlib
import gzip
import socketserver
import threading
import time
from types import SimpleNamespace

import pytest

from bench.endpoint.client.probe import probe
from bench.endpoint.client.target import read_target
from bench.endpoint.load.load import ClientState
from bench.endpoint.load.outage import GONE_REQUESTS, check_server
from bench.errors import RunFailedError
from hardware_profiles.errors import InputError


@contextlib.contextmanager
def answering(answer):
    """Answer every connection with the same bytes."""

    class Handler(socketserver.BaseRequestHandler):
        def handle(self):
            self.request.recv(4096)
            self.request.sendall(answer)

    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_address[1]}"
        server.shutdown()


@pytest.mark.parametrize(
    ("head", "words"),
    [
        ("200 OK\r\nContent-Type: text/html", "answers 'text/html' instead of JSON (HTTP status 200)"),
        ("302 Found\r\nLocation: http://other/\x1b[31m", "redirects to 'http://other/"),
        ("404 Not Found", "answers 'no type' instead of JSON (HTTP status 404)"),
    ],
)
def test_a_page_or_a_redirect_instead_of_a_list_of_models_is_named(head, words):
    with (
        answering(f"HTTP/1.1 {head}\r\nContent-Length: 6\r\n\r\n<html>".encode()) as url,
        pytest.raises(RunFailedError) as caught,
    ):
        probe(read_target(url), None, "seed")
    assert words in str(caught.value)
    assert "\x1b" not in str(caught.value)


def answer(status, body, *headers):
    lines = [f"HTTP/1.1 {status}", "Content-Type: application/json", f"Content-Length: {len(body)}", *headers]
    return "\r\n".join([*lines, "Connection: close", "", ""]).encode() + body


def test_a_server_that_still_loads_is_named_with_its_words_and_the_cure():
    body = b'{"error": {"message": "Loading model \\u001b[31m", "code": 503}}'
    with answering(answer("503 Service Unavailable", body)) as url, pytest.raises(RunFailedError) as caught:
        probe(read_target(url), None, "seed")
    assert "HTTP status 503: 'Loading model" in str(caught.value)
    assert str(caught.value).endswith("; wait until it has loaded the model")
    assert "\x1b" not in str(caught.value)


def test_a_compressed_list_of_models_is_named_by_its_encoding():
    body = gzip.compress(b'{"data": [{"id": "m"}]}')
    with (
        answering(answer("200 OK", body, "Content-Encoding: gzip")) as url,
        pytest.raises(RunFailedError, match="'application/json' with the encoding 'gzip' instead of JSON"),
    ):
        probe(read_target(url), None, "seed")


@pytest.mark.parametrize("status", ["401 Unauthorized", "403 Forbidden"])
def test_a_key_that_only_the_requests_need_has_the_same_cure_as_one_of_the_list(status):
    class Handler(socketserver.StreamRequestHandler):
        def handle(self):
            is_list = b"/v1/models" in self.rfile.readline()
            self.wfile.write(answer("200 OK", b'{"data": [{"id": "m"}]}') if is_list else answer(status, b"{}"))

    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        url = f"http://127.0.0.1:{server.server_address[1]}"
        with pytest.raises(InputError, match=f"--api-key-file: expected the key of .* HTTP status {status[:3]}"):
            probe(read_target(url), None, "seed")
        server.shutdown()


def test_an_address_of_ipv6_keeps_its_brackets():
    assert read_target("http://[::1]:8000/v1").device().url("/v1/models") == "http://[::1]:8000/v1/models"


class Refused:
    outcome, error = "refused", "Connection refused"


def test_a_load_ends_once_the_server_refuses_two_rounds_of_all_slots():
    load = SimpleNamespace(requests=[Refused()] * (2 * GONE_REQUESTS - 1), state=ClientState())
    check_server(load, 1, time.monotonic())
    load.requests.append(Refused())
    with pytest.raises(RunFailedError, match="answers no longer: Connection refused"):
        check_server(load, 1, time.monotonic())
