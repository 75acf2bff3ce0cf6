"""One request a connection: every way in which firmware ends a reply, and every way in which it does not."""

import re
import time

import pytest
from doubles.crowded import LONG_S, in_one_of
from hypothesis import given
from hypothesis import strategies as st

from bench.miners.wire import MAX_BYTES, Brackets, HttpAnswerError, exchange, exchange_frame
from bench.network.errors import ReadFailedError
from bench.network.tcp import HostPort

REPLY = {"STATUS": [{"STATUS": "S", "Msg": 'a "quoted" ] bracket'}], "SUMMARY": [{"Elapsed": 5}], "id": 1}


PARTS = st.lists(st.sampled_from([b"\\", b'"', b"[", b"]", b"x", b'\\"', b"\\\\"]), max_size=40)


@given(PARTS)
def test_brackets_do_not_depend_on_where_the_parts_are_cut(parts):
    whole, cut = Brackets(), Brackets()
    whole.feed(b"".join(parts))
    for byte in b"".join(parts):
        cut.feed(bytes([byte]))
    assert (whole.depth, whole.balanced) == (cut.depth, cut.balanced)


def ask(fake, timeout_s=LONG_S):
    send = exchange_frame if fake.framed else exchange
    return send(HostPort("127.0.0.1", fake.port), b'{"command":"summary"}', timeout_s)


@pytest.mark.parametrize("quirk", ["", "no_nul", "open", "open_after_nul", "open_after_line", "halves", "escapes"])
def test_a_reply_is_read_to_its_end_and_not_beyond(fake_miner, quirk):
    fake = fake_miner({"summary": REPLY}, quirk=quirk)
    began = time.monotonic()
    reply = ask(fake)
    assert time.monotonic() - began < LONG_S / 2.0, "the end of the reply was not seen, only that of the time"
    assert reply.rstrip(b"\n") == fake.reply_to(b'{"command":"summary"}')
    assert fake.requests == ['{"command":"summary"}']


@pytest.mark.usefixtures("deadlines")
@pytest.mark.parametrize(
    ("quirk", "words"),
    [
        ("silent", r"no complete reply within 0\.3 s \(0 bytes came\)"),
        ("drip", r"no complete reply within 0\.3 s \([1-9]\d* bytes came\)"),
        ("hang_up", "closed the connection without a reply"),
        ("huge", f"longer than {MAX_BYTES} bytes"),
        ("deep", "nested deeper than 64 levels"),
    ],
)
def test_a_reply_without_end_is_given_up_in_time(fake_miner, quirk, words):
    fake = fake_miner({"summary": REPLY}, quirk=quirk)

    def ask_in_time():
        began = time.monotonic()
        with pytest.raises(ReadFailedError) as failed:
            ask(fake, 0.3 if quirk in {"silent", "drip"} else LONG_S)
        assert time.monotonic() - began < LONG_S, "the miner ended it"
        assert re.search(words, str(failed.value))

    in_one_of(3, ask_in_time)  # within 0.3 s the first byte comes only if both sides have a core


def test_a_nul_byte_within_a_document_is_not_its_end(fake_miner, monkeypatch):
    monkeypatch.setattr("bench.miners.wire.QUIET_S", LONG_S)
    fake = fake_miner({"summary": REPLY}, quirk="nul_within")
    assert ask(fake).replace(b"\0", b"") == fake.reply_to(b'{"command":"summary"}')


def test_a_document_without_its_end_is_given_up_after_its_nul_byte(fake_miner):
    fake = fake_miner({"summary": REPLY}, quirk="unbalanced")
    assert ask(fake) == fake.reply_to(b'{"command":"summary"}')[:-1]


@pytest.mark.parametrize("quirk", ["", "no_nul", "open", "halves"])
def test_the_text_form_is_read_past_the_brackets_of_its_values(fake_miner, quirk):
    text = f"STATUS=S,When=1|STATS=0,MM ID0=Ver[1] PS[0 1] {'x' * 200} A[2] B[3],MM Count=1|"
    fake = fake_miner({"summary": text}, quirk=quirk)
    assert ask(fake) == text.encode()


@pytest.mark.parametrize("quirk", ["html", "http"])
def test_an_answer_of_a_web_server_is_named(fake_miner, quirk):
    with pytest.raises(HttpAnswerError, match=r"answers like a web server: b?'(HTTP/1\.1 400|<!DOCTYPE html>)"):
        ask(fake_miner({}, quirk=quirk))


def test_a_closed_port_is_one_line():
    with pytest.raises(ReadFailedError, match=r"127\.0\.0\.1:1: Connection refused"):
        exchange(HostPort("127.0.0.1", 1), b"x", 2.0)


def test_a_frame_is_read_by_its_length(fake_miner):
    fake = fake_miner({"summary": REPLY}, framed=True)
    assert ask(fake) == fake.reply_to(b'{"command":"summary"}')
    assert fake.requests == ['{"command":"summary"}']


@pytest.mark.usefixtures("deadlines")
@pytest.mark.parametrize(
    ("quirk", "words"),
    [
        ("html", "answers like a web server"),
        ("http", "answers like a web server"),
        ("silent", "no complete reply"),
        ("hang_up", "without a reply"),
        ("huge", r"expected the length of a frame, got b'\{\"ST'"),
    ],
)
def test_what_is_no_frame_is_refused(fake_miner, quirk, words):
    with pytest.raises(ReadFailedError, match=words):
        ask(fake_miner({}, framed=True, quirk=quirk), 0.5 if quirk == "silent" else LONG_S)
