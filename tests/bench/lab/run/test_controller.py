"""A controller in detail: killed at every line of its book, late answers, hosts that take no part, and locks."""

import itertools
from collections import Counter
from random import Random

import pytest
from doubles.lab.world import Killed, MortalBook, SimFollower, SimHosts, World, job, overlapping, plan

from bench.lab.run import controller as controller_module
from bench.lab.run.attempts import add_attempts, unfinished
from bench.lab.run.controller import Controller
from bench.lab.run.locks import OtherRuns, sole_controller
from bench.lab.run.schedule import MARGIN_S, START_S, Claim, startable
from bench.lab.run.signs import Sign
from bench.results.labs import ledger
from bench.results.labs.book import Book
from bench.results.labs.coverage import coverage
from hardware_profiles.errors import InputError

DOMAINS = {"a": ["rack", "phase"], "b": ["other", "phase"], "c": []}


@pytest.fixture(autouse=True)
def quick(monkeypatch):
    monkeypatch.setattr(ledger.os, "fsync", lambda _: None)
    monkeypatch.setattr(controller_module, "POLL_S", 20.0)


@pytest.fixture
def world(monkeypatch):
    made = World(Random(1), list(DOMAINS))
    monkeypatch.setattr(controller_module, "time", made)
    return made


def book_in(folder, run_id="run-1", kind=Book):
    return kind.create(folder, plan(run_id, [job(run_id, name, DOMAINS[name], "w") for name in DOMAINS]), b"")


def run(world, book, collected, *, again=False):
    Controller(book, SimHosts(world), SimFollower(world, book, collected), again=again).run()


def test_a_controller_killed_at_any_line_of_its_book_loses_and_repeats_nothing(monkeypatch, tmp_path):
    for line, moment in itertools.product(range(1, 12), ("before", "torn", "after")):
        world = World(Random(line), list(DOMAINS))
        monkeypatch.setattr(controller_module, "time", world)
        book = book_in(tmp_path / f"{line}-{moment}", kind=MortalBook)
        book.lines_left, book.moment, collected = line, moment, {}
        for attempt in range(8):
            try:
                if attempt:
                    add_attempts(book)
                run(world, book, collected, again=attempt > 0)
            except Killed:
                continue
            if coverage(book).is_whole:
                break
        assert coverage(book).is_whole, (line, moment)
        assert add_attempts(book) == []
        assert overlapping(world.stamps) == []
        events = Counter((event.kind, event.job) for event in book.events() if event.kind in {"ended", "collected"})
        assert set(events.values()) == {1}, (line, moment)


def test_a_host_that_does_not_know_a_job_is_believed_only_when_no_request_can_arrive_any_more(world, tmp_path):
    book = book_in(tmp_path)
    first = book.plan.jobs[0]
    book.append("starting", job=first.id, host=first.host, at_s=world.now_s)
    controller = Controller(book, SimHosts(world), SimFollower(world, book, {}))
    controller._note(Sign(first.id, "absent"))
    assert controller.running == 1
    world.now_s += START_S + MARGIN_S + 1
    controller._note(Sign(first.id, "absent"))
    assert controller.running == 0


def test_a_refusal_of_an_earlier_request_does_not_free_the_domains_of_the_next(world, tmp_path):
    book = book_in(tmp_path)
    first = book.plan.jobs[0]
    book.append("starting", job=first.id, host=first.host, at_s=world.now_s)
    controller = Controller(book, SimHosts(world), SimFollower(world, book, {}))
    controller._note(Sign(first.id, "refused", code="late", start_by_s=world.now_s - 100))
    assert controller.running == 1
    controller._note(Sign(first.id, "refused", code="late", start_by_s=world.now_s + START_S))
    assert controller.running == 0


def test_a_busy_host_is_not_believed_while_another_request_may_arrive(world, tmp_path):
    book = book_in(tmp_path)
    first = book.plan.jobs[0]
    book.append("starting", job=first.id, host=first.host, at_s=world.now_s)
    controller = Controller(book, SimHosts(world), SimFollower(world, book, {}))
    controller._watch({first.host})  # the second request: a former controller may have sent the first
    controller._note(Sign(first.id, "refused", code="busy", start_by_s=world.now_s + START_S))
    assert controller.running == 1


def test_a_host_that_takes_no_part_has_its_reason_at_once_and_the_others_are_measured(world, tmp_path):
    book, hosts = book_in(tmp_path), SimHosts(world)
    hosts.barred = {"b": ("clock_off", "7,200 s")}
    Controller(book, hosts, SimFollower(world, book, {})).run()
    assert {row.job.host: (row.state, row.code) for row in coverage(book).rows if row.job.host == "b"} == {
        "b": ("refused", "clock_off")
    }
    assert not any(kept.job.host == "b" for kept in world.stamps)
    assert [one.host for one in unfinished(book, again=True)] == ["b"]
    assert unfinished(book, again=False) == []


def test_a_run_has_one_controller(tmp_path):
    book = book_in(tmp_path)
    with sole_controller(book), pytest.raises(InputError, match="that no other command drives"), sole_controller(book):
        pass
    with sole_controller(book):
        pass


def test_the_claims_of_another_run_end_with_its_lines(world, tmp_path):
    one, other = book_in(tmp_path, "run-1"), book_in(tmp_path, "run-2")
    claims = OtherRuns(one)
    assert claims.claims() == []
    first = other.plan.jobs[0]
    other.append("starting", job=first.id, host=first.host, at_s=world.now_s)
    (claim,) = claims.claims()
    assert claim.domains == set(first.domains)
    other.append("ended", job=first.id, host=first.host)
    assert claims.claims() == []


def test_of_jobs_that_share_a_domain_one_is_chosen_in_the_order_of_the_plan():
    jobs = [job("run-1", name, DOMAINS[name], f"w{number}") for number in range(2) for name in DOMAINS]
    assert [one.host for one in startable(jobs, [], set(DOMAINS), 0.0)] == ["a", "c"]
    assert [one.host for one in startable(jobs, [], {"b"}, 0.0)] == ["b"]
    claim = Claim.of(jobs[0], 0.0)
    assert [one.host for one in startable(jobs[1:], [claim], set(DOMAINS), claim.until_s - 0.1)] == ["c"]
    assert [one.host for one in startable(jobs[1:], [claim], set(DOMAINS), claim.until_s)] == ["b", "c"]
