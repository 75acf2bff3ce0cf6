"""What is no inference server is named by what it answers."""

import contextlib
import socketserver
import threading

import pytest

from bench.endpoint.client.probe import probe
from bench.endpoint.client.target import read_target
from bench.endpoint.load.load import GONE_REQUESTS, Load
from bench.errors import RunFailedError


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


def test_an_address_of_ipv6_keeps_its_brackets():
    assert read_target("http://[::1]:8000/v1").device().url("/v1/models") == "http://[::1]:8000/v1/models"


class Refused:
    outcome, error = "refused", "Connection refused"


def test_a_load_ends_once_the_server_refuses_two_rounds_of_all_slots():
    load = Load([])
    load.requests += [Refused()] * (2 * GONE_REQUESTS - 1)
    load.check_server(1)
    load.requests.append(Refused())
    with pytest.raises(RunFailedError, match="answers no longer: Connection refused"):
        load.check_server(1)
