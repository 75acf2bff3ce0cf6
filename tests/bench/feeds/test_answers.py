"""Answers that do not come, come too late or are too long, and fetches that break off."""

import json
import shutil
import socket
import ssl
import subprocess

import pytest
from doubles.feeds.web import WebSource

from bench.feeds import answers
from bench.feeds.answers import FetchError, Request, Server, check_data
from bench.feeds.archive import Archive
from bench.feeds.fetch import fetch, stored
from bench.feeds.sources.source import Figure, Settings, Source, number
from bench.network.url import parse_url

REQUEST = Request("x", "/x?a=1", hidden_query="&key=hidden-key")


def server(url, timeout_s=5.0):
    return Server(parse_url(url, "--url", "--key-env"), timeout_s=timeout_s)


@pytest.fixture
def serve():
    made = []

    def start(answer, **options):
        made.append(WebSource(answer, **options))
        return made[-1]

    yield start
    for source in made:
        source.close()


@pytest.mark.usefixtures("deadlines")
def test_a_server_that_accepts_and_says_nothing_is_given_up_in_the_time_of_one_answer():
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        listening.listen()
        with pytest.raises(FetchError, match=r"/x\?a=1: no complete answer in time") as caught:
            server(f"http://127.0.0.1:{listening.getsockname()[1]}", 0.2).fetch(REQUEST)
    assert "hidden-key" not in str(caught.value)


def test_an_answer_above_the_limit_is_refused(serve, monkeypatch):
    monkeypatch.setattr(answers, "LARGEST_ANSWER", 1000)
    source = serve(lambda *_: (200, {}, b"1" * 1001))
    with pytest.raises(FetchError, match="the answer is longer than 1000 bytes"):
        server(source.url).fetch(REQUEST)


def test_an_answer_without_tls_to_a_request_with_tls_is_refused_in_one_line(serve):
    source = serve(lambda *_: (200, {}, b"{}"))
    with pytest.raises(FetchError, match=r"https://127.0.0.1:\d+/x\?a=1: .*SSL") as caught:
        server(source.url.replace("http:", "https:")).fetch(REQUEST)
    assert "\n" not in str(caught.value)
    assert "hidden-key" not in str(caught.value)


@pytest.mark.skipif(shutil.which("openssl") is None, reason="openssl is not installed")
def test_a_certificate_of_ones_own_is_refused_unless_ssl_cert_file_names_it(serve, tmp_path, monkeypatch):
    names = [str(tmp_path / "cert.pem"), str(tmp_path / "key.pem")]
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "30", "-subj", "/CN=double", "-addext",
         "subjectAltName=IP:127.0.0.1", "-out", names[0], "-keyout", names[1]], check=True, capture_output=True,
    )  # fmt: skip
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*names)
    source = serve(lambda *_: (200, {}, b"{}"), tls=context)
    with pytest.raises(FetchError, match="certificate verify failed") as caught:
        server(source.url).fetch(REQUEST)
    assert "\n" not in str(caught.value)
    monkeypatch.setenv("SSL_CERT_FILE", names[0])
    assert server(source.url).fetch(REQUEST) == b"{}"


@pytest.mark.parametrize("status", [400, 401, 403, 404, 418, 429, 500, 503])
@pytest.mark.parametrize("retry", ["", "30", "Wed, 01 Dec 2027 00:00:00 GMT", "x\x01"])
def test_every_refusal_is_one_line_with_its_status_and_without_the_key(serve, status, retry):
    source = serve(lambda *_: (status, {"Retry-After": retry}, b'{"message": "api_key=abc123\nsecond line"}'))
    with pytest.raises(FetchError, match=f"HTTP status {status}") as caught:
        server(source.url).fetch(REQUEST)
    text = str(caught.value)
    assert "\n" not in text
    assert "abc123" not in text
    assert "hidden-key" not in text
    assert ("ask again" in text) == (status in {429, 503} and bool(retry))


@pytest.mark.parametrize(
    "words", ["rate limit", "Rate-Limited", "too many requests", "Request was throttled.", "quota exceeded"]
)
def test_words_of_a_throttle_in_a_short_answer_with_status_200_are_named(words):
    with pytest.raises(FetchError, match="asked too often"):
        check_data("x", json.dumps({"message": words}).encode(), "json")


def test_the_same_words_inside_long_data_are_data():
    check_data("x", json.dumps({"data": ["rate limit"] * 1000}).encode(), "json")


def plan(_settings):
    yield Request("first", "/first")
    yield Request("second", "/second")


def read(fetched, _settings):
    return [Figure("value", number(json.loads(fetched.answers()["second"]), "s"), fetched.time_s)]


SOURCE = Source("s", "a source", "", 60.0, plan, read)


def test_a_fetch_that_breaks_off_keeps_its_answers_and_does_not_count(serve, tmp_path):
    second = iter([(200, {}, b"1"), (500, {}, b"no")])
    source = serve(lambda _method, path, *_: (200, {}, b"0") if path == "/first" else next(second))
    archive = Archive(tmp_path / "s")
    good = fetch(SOURCE, Settings(), server(source.url), archive, lambda: 1e9)
    broken = fetch(SOURCE, Settings(), server(source.url), archive, lambda: 1e9 + 100)
    assert [figure.value for figure in (*good.figures, *broken.figures)] == [1, 1]
    assert "HTTP status 500" in broken.fault
    assert broken.fetched.time_s == 1e9
    assert sorted(path.name.partition("-")[2].partition("-")[0] for path in (tmp_path / "s").iterdir()) == [
        "fetch.json", "first", "first", "second",
    ]  # fmt: skip


def test_the_newest_fetch_that_can_be_read_counts_and_a_damaged_record_does_not(serve, tmp_path):
    values = iter([b"1", b"2", b'"no number"', b"4"])
    source = serve(lambda _method, path, *_: (200, {}, b"0" if path == "/first" else next(values)))
    archive = Archive(tmp_path / "s")
    for at in range(4):
        fetch(SOURCE, Settings(), server(source.url), archive, lambda at=at: 1e9 + at)
    newest = max((tmp_path / "s").glob("*-fetch.json"))
    newest.write_text("{", encoding="utf-8")
    outcome = stored(SOURCE, Settings(), archive)
    assert [figure.value for figure in outcome.figures] == [2.0]
    assert outcome.is_stale(outcome.figures[0], 1e9 + 61.1)
    assert not outcome.is_stale(outcome.figures[0], 1e9 + 60.9)
