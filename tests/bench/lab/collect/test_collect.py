"""Finished jobs of all hosts are collected once, whole, and every other one is named with its reason."""

import json
import shutil

import pytest
from doubles.lab.folder_hosts import FolderReach, book_of, finish, job, machine

from bench.lab.collect.hosts import collect, collect_host
from bench.results.folder import read_whole
from bench.results.labs.coverage import coverage
from bench.results.layout import result_names, unfinished_folders


def lab(tmp_path, hosts=("a", "b", "c"), each=2):
    reaches = {name: FolderReach(name, tmp_path / "hosts" / name, machine(name)) for name in hosts}
    jobs = [job(name, number=number) for name in hosts for number in range(each)]
    for number, one in enumerate(jobs):
        finish(reaches[one.host].folder, one, number=number)
    book = book_of(tmp_path / "results", jobs)
    for one in jobs:
        book.append("starting", job=one.id, host=one.host)
    return book, reaches, jobs


def states(book):
    return {row.job.id: (row.state, row.code) for row in coverage(book).rows}


def test_every_finished_job_of_every_host_is_collected_whole(tmp_path):
    book, reaches, jobs = lab(tmp_path)
    done = collect(book, reaches)
    assert sorted(id_ for one in done for id_ in one.stored) == sorted(one.id for one in jobs)
    assert set(states(book).values()) == {("measured", "")}
    names = result_names(book.store)
    assert len(names) == len(jobs)
    assert {read_whole(book.store / name).run.host.id for name in names} == {machine(one) for one in "abc"}
    assert sorted(path.name for path in (book.jobs_folder / jobs[0].id).iterdir()) == [
        "MANIFEST.sha256", "end.json", "job.json", "log.txt",
    ]  # fmt: skip
    assert unfinished_folders(book.store) == []


def test_a_second_collecting_asks_for_nothing_and_changes_nothing(tmp_path):
    book, reaches, _ = lab(tmp_path)
    collect(book, reaches)
    before = {path: path.stat().st_mtime_ns for path in book.store.rglob("*")}
    assert collect(book, reaches) == []
    assert {path: path.stat().st_mtime_ns for path in book.store.rglob("*")} == before


def test_a_result_with_the_same_id_and_other_bytes_is_refused_and_the_rest_is_collected(tmp_path):
    book, reaches, jobs = lab(tmp_path, ("a",))
    id_ = next((reaches["a"].folder / "jobs" / jobs[0].id / "results").iterdir()).name
    (book.store / id_).mkdir()
    (book.store / id_ / "result.json").write_text("mine")
    done = collect_host(book, reaches["a"])
    assert done.stored == [jobs[1].id]
    assert done.refused[jobs[0].id][0] == "other_bytes"
    assert (book.store / id_ / "result.json").read_text() == "mine"
    assert states(book)[jobs[0].id] == ("ended", "other_bytes")


def test_a_result_that_is_stored_already_is_accepted_with_a_signature_that_was_added(tmp_path):
    book, reaches, jobs = lab(tmp_path, ("a",), each=1)
    source = next((reaches["a"].folder / "jobs" / jobs[0].id / "results").iterdir())
    shutil.copytree(source, book.store / source.name)
    (book.store / source.name / "SHA256SUMS.sig").write_text("signature")
    collect_host(book, reaches["a"])
    assert states(book) == {jobs[0].id: ("measured", "")}
    assert (book.store / source.name / "SHA256SUMS.sig").exists()


@pytest.mark.parametrize("cut", [0.0, 0.02, 0.2, 0.45, 0.5, 0.55, 0.8, 0.97])
def test_a_connection_that_is_lost_at_any_point_loses_nothing(tmp_path, cut):
    book, reaches, jobs = lab(tmp_path, ("a",), each=4)
    reaches["a"].change = lambda data: data[: int(len(data) * cut)] + b"x"
    done = collect_host(book, reaches["a"])
    assert done.error is None or done.error.code in {"no_answer", "wrong_answer"}
    assert len(done.stored) < len(jobs) or cut > 0.9
    assert unfinished_folders(book.store) == []
    for name in result_names(book.store):
        read_whole(book.store / name)
    reaches["a"].change = lambda data: data
    collect_host(book, reaches["a"])
    assert set(states(book).values()) == {("measured", "")}


def test_a_host_that_does_not_answer_is_one_line_and_the_others_are_collected(tmp_path):
    from bench.lab.errors import HostError

    book, reaches, _ = lab(tmp_path)

    def lost(*_, **__):
        raise HostError("b", "unreachable", "no route to host")

    reaches["b"].ask = lost
    done = {one.host: one for one in collect(book, reaches)}
    assert str(done["b"].error) == "b: the host does not answer: no route to host"
    assert [len(done[name].stored) for name in "abc"] == [2, 0, 2]
    assert any(event.kind == "note" and event.code == "unreachable" for event in book.events())


def test_a_job_that_measured_nothing_is_collected_with_its_reason(tmp_path):
    one = job("a")
    reach = FolderReach("a", tmp_path / "a", machine("a"))
    finish(reach.folder, one, results=0, status="failed", reason="deadline", detail="took 61 s")
    book = book_of(tmp_path / "results", [one])
    collect_host(book, reach)
    (row,) = coverage(book).rows
    assert (row.state, row.reason) == ("failed", "the job took longer than its deadline and was ended: took 61 s")


def test_an_invalid_result_is_stored_and_does_not_count_as_measured(tmp_path):
    one = job("a")
    reach = FolderReach("a", tmp_path / "a", machine("a"))
    finish(reach.folder, one, status="invalid")
    book = book_of(tmp_path / "results", [one])
    collect_host(book, reach)
    (row,) = coverage(book).rows
    assert (row.state, row.code, len(row.results)) == ("failed", "measurement_failed", 1)
    assert len(result_names(book.store)) == 1


@pytest.mark.parametrize(
    ("key", "code"), [(machine("b"), "answers_for"), ("00000000", "host_changed")], ids=["another", "unknown"]
)
def test_a_host_that_is_another_machine_is_refused(tmp_path, key, code):
    book, reaches, _ = lab(tmp_path, ("a", "b"))
    reaches["a"].machine = key
    done = {one.host: one for one in collect(book, reaches)}
    assert done["a"].error.code == code
    assert done["a"].stored == []
    assert len(done["b"].stored) == 2


def test_a_result_that_another_machine_measured_is_refused(tmp_path):
    one, other = job("a"), job("b")
    reach = FolderReach("a", tmp_path / "a", machine("a"))
    finish(reach.folder, one, host_id=machine("b"))
    book = book_of(tmp_path / "results", [one, other])
    done = collect_host(book, reach)
    assert done.refused[one.id] == ("answers_for", f"machine {machine('b')} is b")
    assert result_names(book.store) == []


def test_a_full_disk_of_the_controller_is_one_line_and_leaves_nothing_behind(tmp_path, monkeypatch):
    import errno

    book, reaches, jobs = lab(tmp_path, ("a",))

    def full(*_):
        raise OSError(errno.ENOSPC, "No space left on device", "results")

    with monkeypatch.context() as patch:
        patch.setattr("bench.lab.collect.receive.flush_all", full)
        done = collect_host(book, reaches["a"])
    assert str(done.error) == "a: the result could not be written here: results: No space left on device"
    assert unfinished_folders(book.store) == []
    assert result_names(book.store) == []
    assert sorted(collect_host(book, reaches["a"]).stored) == sorted(one.id for one in jobs)


def test_a_job_that_its_host_forgot_is_lost_after_its_deadline_only(tmp_path, monkeypatch):
    from datetime import UTC, datetime, timedelta

    one = job("a")
    reach = FolderReach("a", tmp_path / "a", machine("a"))
    book = book_of(tmp_path / "results", [one])
    book.append("starting", job=one.id, host="a")
    collect_host(book, reach)
    assert states(book) == {one.id: ("running", "")}

    class Later(datetime):
        @classmethod
        def now(cls, zone=None):
            return datetime.now(zone) + timedelta(seconds=61)

    monkeypatch.setattr("bench.lab.collect.hosts.datetime", Later)
    collect_host(book, reach)
    assert states(book) == {one.id: ("lost", "lost")}
    assert Later.now(UTC)


def test_a_lost_job_whose_host_comes_back_is_collected(tmp_path):
    book, reaches, jobs = lab(tmp_path, ("a",), each=1)
    book.append("lost", job=jobs[0].id, host="a", code="lost")
    collect_host(book, reaches["a"])
    assert states(book) == {jobs[0].id: ("measured", "")}


def test_the_ledger_keeps_the_stamps_of_what_was_collected(tmp_path):
    book, reaches, jobs = lab(tmp_path, ("a",), each=1)
    collect_host(book, reaches["a"])
    event = next(event for event in book.events() if event.kind == "collected")
    ending = json.loads((book.jobs_folder / jobs[0].id / "end.json").read_text())
    assert event.data["ending"] == ending
    assert ending["started"]["boot_id"]
