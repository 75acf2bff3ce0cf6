"""Random labs with deaths of workers, hosts, the scheduler and the controller: no overlap, and nothing is lost."""

from collections import Counter
from random import Random

import pytest
from doubles.lab.world import Killed, MortalBook, SimFollower, SimHosts, World, job, overlapping, plan

from bench.lab.run import controller as controller_module
from bench.lab.run.attempts import add_attempts
from bench.lab.run.controller import Controller
from bench.lab.run.signs import SchedulerLostError
from bench.results.labs import ledger
from bench.results.labs.coverage import coverage

SCHEDULES = 200
LONGEST = 30  # controllers of one run, the last of them in a lab that is whole again


@pytest.fixture(autouse=True)
def quick(monkeypatch):
    monkeypatch.setattr(ledger.os, "fsync", lambda _: None)
    monkeypatch.setattr(controller_module, "POLL_S", 20.0)  # the loop then turns at every sign


class Lab:
    """A random lab with two runs, each with a controller that may die."""

    def __init__(self, seed, store):
        self.random = random = Random(seed)
        names = [f"h{number}" for number in range(random.randint(1, 6))]
        self.world = World(random, names)
        within = {f"d{number}": f"d{random.randrange(number)}" if number and random.random() < 0.6 else None
                  for number in range(random.randint(1, 5))}  # fmt: skip
        domain = {name: random.choice([*within, None]) for name in names}
        self.collected = {}
        self.books = []
        for run_id in ("run-1", "run-2")[: random.randint(1, 2)]:
            jobs = [
                job(run_id, host, _chain(domain[host], within), f"w{number}")
                for number in range(random.randint(1, 2))
                for host in names
            ]
            self.books.append(MortalBook.create(store, plan(run_id, jobs), b""))
        self.controllers = {}
        self.starts = Counter()

    def start(self, book):
        """Start a controller, as `lab run` or `lab resume` does, that may be killed at a line of the book."""
        run_id = book.plan.run_id
        again = self.starts[run_id] > 0
        self.starts[run_id] += 1
        last = self.starts[run_id] >= LONGEST
        if last:
            self.world.heal()
        book.moment = self.random.choice(("before", "torn", "after"))
        book.lines_left = 10**9 if last or self.random.random() < 0.3 else self.random.randint(1, 12)
        if again:
            rescue(self.world, book, self.collected)
            add_attempts(book)
        follower = SimFollower(self.world, book, self.collected)
        self.controllers[run_id] = Controller(book, SimHosts(self.world), follower, again=again)

    def step(self, book):
        """Let the controller of a run go one step; return whether the run has ended."""
        try:
            if book.plan.run_id not in self.controllers:
                self.start(book)
            if self.controllers[book.plan.run_id].step():
                return False
        except (Killed, SchedulerLostError):
            self.controllers.pop(book.plan.run_id, None)
            self.world.scheduler = True
            return False
        del self.controllers[book.plan.run_id]
        return coverage(book).is_whole or self.starts[book.plan.run_id] >= LONGEST


def rescue(world, book, collected):
    """Bring what hosts have finished of the jobs that the book calls lost, as `lab collect` does."""
    follower = SimFollower(world, book, collected)
    done = {event.job for event in book.events() if event.kind == "collected"}
    for one in book.jobs().values():
        host = world.hosts[one.host]
        kept = host.jobs.get(one.id)
        if one.id not in done and kept is not None and kept.state == "ended" and host.powered and host.cable:
            follower.collect(one)


def _chain(domain, within):
    while domain is not None:
        yield domain
        domain = within[domain]


@pytest.mark.parametrize("first", range(0, SCHEDULES, 20))
def test_no_two_measurements_overlap_in_a_domain_and_every_job_ends_once_or_has_a_reason(first, tmp_path, monkeypatch):
    for seed in range(first, first + 20):
        lab = Lab(seed, tmp_path / str(seed))
        monkeypatch.setattr(controller_module, "time", lab.world)
        going = list(lab.books)
        steps = 0
        while going:
            steps += 1
            assert steps < 20_000, seed
            if lab.random.random() < 0.03:
                lab.world.trouble()
            book = lab.random.choice(going)
            if lab.step(book):
                going.remove(book)
        lab.world.heal()
        for book in lab.books:
            rescue(lab.world, book, lab.collected)
        assert overlapping(lab.world.stamps) == [], seed
        for book in lab.books:
            check(lab, book, seed)


def check(lab, book, seed):
    events = book.events()
    for kind in ("ended", "collected"):
        assert max(Counter(event.job for event in events if event.kind == kind).values(), default=0) <= 1, seed
    for row in coverage(book).rows:
        assert row.state == "measured" or row.code, (seed, row)
    done = {event.job for event in events if event.kind == "collected"}
    for id_ in book.jobs():
        kept = next((kept for kept in lab.world.stamps if kept.job.id == id_), None)
        assert kept is None or kept.state != "ended" or id_ in done, (seed, id_)
