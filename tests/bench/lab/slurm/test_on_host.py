"""A task on its host: it waits for whatever may occupy a domain, notes what happens, and never begins a job twice."""

import signal
import threading
import time

import pytest
from doubles.lab.folder_hosts import book_of, finish, job

from bench.lab.host.answer import answer
from bench.lab.inventory.lab import Host
from bench.lab.run.schedule import Claim
from bench.lab.slurm import on_host
from bench.results.labs.book import Book
from bench.results.labs.coverage import coverage
from hardware_profiles.errors import InputError

LIMIT_S = 2.0


class Task:
    """The task of one job, whose host measures in no time."""

    def __init__(self, folder, book, one, monkeypatch):
        self.folder, self.book, self.one, self.said = folder, book, one, []
        self.asked = []
        self.refusal = None
        self.at_start = lambda: finish(folder, one)
        self.host = Host(one.host, one.host, "ssh", None, str(folder), None, (), (), one.host)
        monkeypatch.setattr(on_host, "answer", self.answer)
        monkeypatch.setattr(on_host, "POLL_S", 0.05)

    def answer(self, verb, folder, request):
        self.asked.append(verb)
        if verb != "start":
            return answer(verb, folder, request)
        if self.refusal is None:
            self.at_start()
        return self.refusal or {"state": "running"}

    def run(self):
        return on_host.run_task(self.book, self.one, self.host, LIMIT_S, self.said.append)

    @property
    def status(self):
        (row,) = [row for row in coverage(self.book).rows if row.job.host == self.one.host]
        return row.state, row.code

    @property
    def kinds(self):
        return [event.kind for event in self.book.events() if event.job == self.one.id]


def shared(host, **changes):
    return job(host, domains=(f"host:{host}", "rack"), **changes)


@pytest.fixture
def task(tmp_path, monkeypatch):
    one = shared("a")
    return Task(tmp_path / "jobs", book_of(tmp_path / "store", [one, shared("b"), job("c")]), one, monkeypatch)


def other(task, host):
    return next(one for one in task.book.plan.jobs if one.host == host)


def test_a_measurement_has_its_start_and_its_end_in_the_book(task):
    assert task.run()
    assert (task.kinds, task.status) == (["starting", "ended"], ("ended", "not_collected"))
    assert task.said[-1].endswith(": measured")


def test_a_spoilt_measurement_is_noted_with_its_reason(task):
    task.at_start = lambda: finish(task.folder, task.one, reason="deadline", detail="too slow")
    assert not task.run()
    assert task.status == ("failed", "deadline")


def test_a_refusal_of_the_host_is_noted_and_the_job_may_begin_again(task):
    task.refusal = {"refused": "disk_full", "detail": "1 MiB"}
    assert not task.run()
    assert task.status == ("refused", "disk_full")
    task.refusal = None
    assert task.run()


@pytest.mark.parametrize("event", ["starting", "ended", "collected", "lost"])
def test_a_job_that_has_begun_is_never_begun_again(task, event):
    task.book.append(event, job=task.one.id, host="a")
    with pytest.raises(InputError, match="expected one that has not begun, got one that is"):
        task.run()
    assert "start" not in task.asked


@pytest.mark.parametrize("is_other_run", [False, True])
def test_a_task_waits_for_a_job_of_its_domain_in_any_run_and_not_for_others(task, is_other_run):
    task.book.append("starting", job=other(task, "c").id, host="c", at_s=time.time())
    holder, book = other(task, "b"), task.book
    if is_other_run:
        holder = shared("b", run_id="another")
        plan = task.book.plan.model_copy(update={"run_id": "another", "jobs": (holder,)})
        book = Book.create(task.book.store, plan, b"")
    book.append("starting", job=holder.id, host="b", at_s=time.time())
    running = threading.Thread(target=task.run)
    running.start()
    while not task.said:
        time.sleep(0.01)
    assert f"waiting for job {holder.id} (rack)" in task.said[0]
    assert task.kinds == []
    book.append("ended", job=holder.id, host="b")
    running.join(10.0)
    assert task.kinds == ["starting", "ended"]


def test_a_job_of_which_nothing_can_run_any_more_is_lost_and_holds_nothing(task):
    holder = other(task, "b")
    long_ago_s = time.time() - (Claim.of(holder, 0.0).until_s + 1.0)
    task.book.append("starting", job=holder.id, host="b", at_s=long_ago_s)
    assert task.run()
    (lost,) = [event for event in task.book.events() if event.kind == "lost"]
    assert (lost.job, task.said[0].startswith("measuring")) == (holder.id, True)


def test_a_host_whose_clock_is_not_that_of_the_shared_storage_does_not_measure(task, monkeypatch):
    monkeypatch.setattr(on_host, "_offset_s", lambda _: 7200.0)
    assert not task.run()
    assert (task.status, task.asked) == (("refused", "clock_off"), [])
    assert "+7200.0 s" in task.said[0]


def test_the_clock_of_a_folder_of_this_machine_is_that_of_this_machine(tmp_path):
    assert on_host._offset_s(tmp_path / "probe") == 0.0
    assert list(tmp_path.iterdir()) == []


def test_a_task_that_slurm_ends_while_it_waits_has_not_begun(task):
    task.book.append("starting", job=other(task, "b").id, host="b", at_s=time.time())
    threading.Timer(0.3, signal.raise_signal, [signal.SIGTERM]).start()
    assert not task.run()
    assert (task.status, "start" in task.asked) == (("refused", "cancelled"), False)


def test_a_task_that_slurm_ends_while_it_measures_stops_the_job_and_notes_its_end(task):
    def interrupted():
        finish(task.folder, task.one, reason="cancelled")
        signal.raise_signal(signal.SIGTERM)

    task.at_start = interrupted
    assert not task.run()
    assert "stop" in task.asked
    assert task.status == ("failed", "cancelled")
