"""The book of a run: an immutable plan, a ledger that no crash spoils, and how much was measured."""

import errno
import json
import multiprocessing
import os

import pytest
from doubles.lab.folder_hosts import RUN, book_of, job

from bench.errors import RunFailedError
from bench.results.labs.book import Book, books
from bench.results.labs.coverage import coverage, coverages
from bench.results.labs.ledger import Ledger
from bench.results.labs.reasons import REASONS
from bench.results.layout import result_names
from hardware_profiles.errors import InputError


def kinds(ledger):
    return [event.kind for event in ledger.events()]


def test_a_ledger_gives_back_what_was_appended(tmp_path):
    ledger = Ledger(tmp_path / "ledger.jsonl")
    assert ledger.events() == []
    first = ledger.append("note", host="a", code="busy", detail="ä\n\x1b", extra={"x": 1.5})
    assert ledger.events() == [first]
    assert first.data == {"extra": {"x": 1.5}}


def test_a_line_that_was_torn_at_any_byte_is_absent_and_the_next_append_mends_the_file(tmp_path):
    ledger = Ledger(tmp_path / "ledger.jsonl")
    ledger.append("note", detail="one")
    whole = ledger.path.read_bytes()
    ledger.append("note", detail="two")
    both = ledger.path.read_bytes()
    for length in range(len(whole), len(both)):
        ledger.path.write_bytes(both[:length])
        assert [event.detail for event in ledger.events()] == ["one"], length
        ledger.append("note", detail="three")
        assert [event.detail for event in ledger.events()] == ["one", "three"], length


@pytest.mark.parametrize("tail", [b"\0" * 4096, b'{"utc": \0\0\0\0\n', b"\xff\xfe", b"[1]\n", b"\n"])
def test_what_a_crash_leaves_at_the_end_is_absent(tmp_path, tail):
    ledger = Ledger(tmp_path / "ledger.jsonl")
    ledger.append("note", detail="one")
    with ledger.path.open("ab") as file:
        file.write(tail)
    assert kinds(ledger) == ["note"]
    ledger.append("clock")
    assert kinds(ledger) == ["note", "clock"]


def test_a_damaged_line_before_the_end_is_named(tmp_path):
    ledger = Ledger(tmp_path / "ledger.jsonl")
    for _ in range(3):
        ledger.append("note")
    lines = ledger.path.read_bytes().split(b"\n")
    ledger.path.write_bytes(b"\n".join([lines[0], b"{", *lines[2:]]))
    with pytest.raises(InputError, match=r"ledger\.jsonl: line 2: "):
        ledger.events()


def test_a_full_disk_leaves_the_ledger_as_it_was_and_is_one_line(tmp_path, monkeypatch):
    ledger = Ledger(tmp_path / "ledger.jsonl")
    ledger.append("note", detail="one")
    before = ledger.path.read_bytes()
    real = os.pwrite

    def half(descriptor, content, at):
        if at > len(before):
            raise OSError(errno.ENOSPC, "No space left on device")
        return real(descriptor, bytes(content)[:7], at)

    with monkeypatch.context() as patch:
        patch.setattr(os, "pwrite", half)
        with pytest.raises(RunFailedError, match="No space left on device; nothing was written"):
            ledger.append("note", detail="two")
    assert ledger.path.read_bytes() == before


def _append(path, number):
    for index in range(50):
        Ledger(path).append("note", detail=f"{number}-{index}")


def test_several_commands_append_to_one_ledger_and_no_line_is_lost(tmp_path):
    path = tmp_path / "ledger.jsonl"
    context = multiprocessing.get_context("fork")
    writers = [context.Process(target=_append, args=(path, number)) for number in range(4)]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    details = [event.detail for event in Ledger(path).events()]
    assert len(details) == len(set(details)) == 200


def test_the_id_of_a_job_is_of_its_content_and_a_further_attempt_supersedes_it():
    first = job("a")
    second = first.again()
    assert (second.attempt, second.supersedes) == (2, first.id)
    assert second.id != first.id == job("a").id != job("b").id
    with pytest.raises(ValueError, match="expected the id of its content"):
        type(first).model_validate({**first.model_dump(), "host": "b"})


def test_a_run_is_opened_by_the_beginning_of_its_id_or_as_the_latest(tmp_path):
    with pytest.raises(InputError, match="expected a lab run, got none"):
        Book.open(tmp_path)
    book = book_of(tmp_path, [job("a")])
    assert Book.open(tmp_path).plan == Book.open(tmp_path, RUN[:8]).plan == book.plan
    with pytest.raises(InputError, match="expected a known run id, got '2027'"):
        Book.open(tmp_path, "2027")
    with pytest.raises(InputError, match="nothing is overwritten"):
        book_of(tmp_path, [job("a")])
    assert result_names(tmp_path) == []


def test_a_plan_that_was_changed_is_refused(tmp_path):
    book = book_of(tmp_path, [job("a")])
    path = book.folder / "plan.json"
    plan = json.loads(path.read_text())
    plan["jobs"][0]["deadline_s"] = 61.0
    path.write_text(json.dumps(plan))
    with pytest.raises(InputError, match=r"key jobs\[0\]: expected the id of its content"):
        Book.open(tmp_path)


@pytest.mark.parametrize(
    ("events", "state", "code"),
    [
        ([], "planned", ""),
        ([("refused", "busy")], "refused", "busy"),
        ([("starting", "")], "running", ""),
        ([("starting", ""), ("started", ""), ("seen", "")], "running", ""),
        ([("starting", ""), ("lost", "lost")], "lost", "lost"),
        ([("starting", ""), ("ended", "")], "ended", "not_collected"),
        ([("starting", ""), ("ended", "deadline")], "failed", "deadline"),
        ([("starting", ""), ("cancelled", "")], "failed", "cancelled"),
        ([("ended", ""), ("uncollected", "other_bytes")], "ended", "other_bytes"),
        ([("lost", "lost"), ("collected", "")], "measured", ""),
        ([("ended", ""), ("collected", "measurement_failed")], "failed", "measurement_failed"),
        ([("collected", ""), ("lost", "lost"), ("ended", "deadline")], "measured", ""),
    ],
)
def test_the_state_of_a_job_follows_from_its_events(tmp_path, events, state, code):
    book = book_of(tmp_path, [one := job("a")])
    for kind, reason in events:
        book.append(kind, job=one.id, code=reason)
    (row,) = coverage(book).rows
    assert (row.state, row.code) == (state, code)
    assert not code or code in REASONS
    assert bool(row.reason) == bool(code)


def test_a_further_attempt_stands_for_the_measurement_unless_an_earlier_one_was_measured(tmp_path):
    book = book_of(tmp_path, [one := job("a"), other := job("b")])
    book.append("lost", job=one.id, code="lost")
    second = one.again()
    book.add(second)
    book.append("refused", job=second.id, code="busy")
    rows = {row.job.host: row for row in coverage(book).rows}
    assert (len(rows), rows["a"].job.id, rows["a"].state) == (2, second.id, "refused")
    assert coverage(book).line() == "2 planned: 1 not started, 1 refused"
    book.append("collected", job=one.id, results=["r1"])
    book.append("collected", job=other.id, results=["r2"])
    assert coverage(book).is_whole
    assert [one.run_id for one in coverages(tmp_path, ["r2"])] == [RUN]
    assert coverages(tmp_path, ["r3"]) == []
    assert len(list(books(tmp_path))) == 1
