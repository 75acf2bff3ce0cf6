"""Controllers over a real Dask scheduler and workers, of which any is killed at any moment."""

import json
import os
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from contextlib import contextmanager
from pathlib import Path

import pytest
from doubles.lab import paper_host
from doubles.lab.world import job, plan
from faults.command import of_the_whole_suite

from bench.lab.errors import HostError
from bench.lab.inventory.lab import Host
from bench.lab.reach.dask import pinned
from bench.lab.run import controller as controller_module
from bench.lab.run import crew as crew_module
from bench.lab.run import schedule
from bench.lab.run.attempts import add_attempts
from bench.lab.run.controller import Controller
from bench.lab.run.crew import Crew
from bench.lab.run.locks import SharedClaims
from bench.lab.run.quiet_worker import NO_DASHBOARD, worker_options
from bench.lab.run.signs import SchedulerLostError
from bench.lab.run.workers import WORKER_CLASS, WorkerHost, existing
from bench.results.labs.book import Book
from bench.results.labs.coverage import coverage

pytest.importorskip("distributed")
ROOT = Path(__file__).parents[4]
NAMES = ("a", "b", "c")
DOMAINS = {"a": ["rack", "phase"], "b": ["other", "phase"], "c": []}  # a and b exclude one another
SCHEDULER = "import sys; from distributed.cli.dask_spec import main; main(sys.argv[1:])"


@pytest.fixture(autouse=True)
def impatient(monkeypatch):
    """Let a test see in seconds what takes minutes in a lab."""
    for module, name, value in (
        (schedule, "START_S", 3.0), (schedule, "MARGIN_S", 2.0), (controller_module, "POLL_S", 0.1),
        (controller_module, "LOOK_S", 0.3), (controller_module, "GRACE_S", 4.0), (controller_module, "BUSY_S", 0.3),
        (crew_module, "WORKERS_S", 0.2), (crew_module, "LOST_S", 1.5),
    ):  # fmt: skip
        monkeypatch.setattr(module, name, value)


class Cluster:
    """A scheduler and one worker a host, each a process."""

    def __init__(self, folder):
        self.folder, self.processes, self.port = folder, {}, 0
        self.start_scheduler()
        for name in NAMES:
            self.start_worker(name)

    def start_scheduler(self):
        port_file = self.folder / f"scheduler-{time.monotonic_ns()}.json"
        options = {"host": "127.0.0.1", "port": self.port, "scheduler_file": str(port_file), **NO_DASHBOARD}
        self._start(
            "scheduler", "-c", SCHEDULER, "--spec", json.dumps({"cls": "distributed.Scheduler", "opts": options})
        )
        until(port_file.exists)
        until(lambda: port_file.read_text().endswith("}"))
        self.address = json.loads(port_file.read_text())["address"]
        self.port = int(self.address.rpartition(":")[2])

    def start_worker(self, name):
        spec = {"0": {"cls": WORKER_CLASS, "opts": worker_options(name)}}
        self._start(name, "-m", "doubles.lab.paper_host", self.address, "--spec", json.dumps(spec))

    def _start(self, name, *arguments):
        variables = {"PYTHONPATH": f"{ROOT}:{ROOT / 'tests'}", "DASK_DISTRIBUTED__WORKER__PROFILE__ENABLED": "False"}
        self.processes[name] = subprocess.Popen(
            [sys.executable, *arguments], env={**os.environ, **variables}, stderr=subprocess.DEVNULL
        )

    def kill(self, name):
        self.processes[name].send_signal(signal.SIGKILL)
        self.processes[name].wait()

    def mend(self):
        """Start again what is dead; workers leave a scheduler that dies."""
        if self.processes["scheduler"].poll() is not None:
            for name in NAMES:
                self.kill(name)
            self.start_scheduler()
        for name in NAMES:
            if self.processes[name].poll() is not None:
                self.start_worker(name)

    def close(self):
        for name in self.processes:
            self.kill(name)


@pytest.fixture
def cluster(tmp_path):
    started = Cluster(tmp_path)
    yield started
    started.close()


def until(condition):
    end_s = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < end_s
        time.sleep(0.02)


class PaperReach:
    """The way to a paper host without Dask."""

    def __init__(self, host):
        self.host, self.folder = host.name, host.folder

    def ask(self, verb, request=None, **_):
        return paper_host.answer(verb, self.folder, request)


class Follower:
    """Collects from the notes of the hosts, and kills something after some of its calls."""

    def __init__(self, book, hosts, trouble=lambda _: None):
        self.book, self.hosts, self.trouble, self.told = book, hosts, trouble, []

    def before(self, one):
        self.trouble(one)

    def after(self, one):
        pass

    def collect(self, one):
        if not (Path(self.hosts[one.host].folder) / f"{one.id}.json").exists():
            raise HostError(one.host, "not_collected")
        self.book.append("collected", job=one.id, host=one.host, results=[f"result-{one.id}"])

    def tell(self, one, word, reason):
        self.told.append((one.host, word, reason))


def hosts_in(folder):
    return {
        name: Host(name, name, "local", None, str(folder / name), None, (), (), name) for name in NAMES
    }  # fmt: skip


def book_in(folder, run_id, repeats=2):
    jobs = [job(run_id, name, DOMAINS[name], f"w{number}", 5.0) for number in range(repeats) for name in NAMES]
    return Book.create(folder / "results", plan(run_id, jobs), b"")


@contextmanager
def controller_of(cluster, book, hosts, follower=None, *, again=False):
    with existing(cluster.address, [WorkerHost(name, name, name, True, "") for name in NAMES]) as workers:
        crew = Crew(workers, hosts, PaperReach, {}, 0.0)
        shared = SharedClaims(workers.client, crew.has_ended)
        yield Controller(book, crew, follower or Follower(book, hosts), again=again, shared=shared)
        crew.close()


def overlapping(folder):
    notes = paper_host.stamps([folder / name for name in NAMES])
    return [
        (first["job"]["id"], second["job"]["id"])
        for index, first in enumerate(notes)
        for second in notes[index + 1 :]
        if second["start_s"] < first["end_s"] and set(first["job"]["domains"]) & set(second["job"]["domains"])
    ]


def run_to_the_end(cluster, book, hosts, trouble=lambda _: None):
    """Run, and resume until everything is measured, as an operator does; return how often."""
    for attempt in range(10):
        cluster.mend()
        if attempt:
            add_attempts(book)
        try:
            with controller_of(cluster, book, hosts, Follower(book, hosts, trouble), again=attempt > 0) as controller:
                controller.run()
        except SchedulerLostError:
            pass
        if coverage(book).is_whole:
            return attempt
    raise AssertionError(coverage(book).line())


@pytest.mark.slow
@of_the_whole_suite
def test_whatever_is_killed_every_measurement_is_collected_once_and_none_overlap(cluster, tmp_path):
    for seed in range(3):
        folder, chance = tmp_path / str(seed), random.Random(seed)
        hosts, book = hosts_in(folder), book_in(folder, f"run-{seed}")
        victims = iter([chance.choice((*NAMES, "scheduler")) for _ in range(2)])

        def trouble(_, chance=chance, victims=victims):
            if chance.random() < 0.5 and (victim := next(victims, None)):
                cluster.kill(victim)

        run_to_the_end(cluster, book, hosts, trouble)
        assert overlapping(folder) == []
        collected = Counter(event.job for event in book.events() if event.kind == "collected")
        assert set(collected.values()) == {1}
        assert len(coverage(book).rows) == 6


@pytest.mark.slow
def test_a_worker_that_dies_does_not_end_the_measurement(cluster, tmp_path):
    hosts, book = hosts_in(tmp_path), book_in(tmp_path, "run-1", 1)
    first = book.plan.jobs[0]
    with controller_of(cluster, book, hosts) as controller:
        until(lambda: not controller.step() or (tmp_path / first.host / f"{first.id}.json").exists())
        cluster.kill(first.host)
        controller.run()
    assert coverage(book).is_whole
    assert len(list((tmp_path / first.host).glob("*.json"))) == 1


@pytest.mark.slow
def test_two_controllers_with_books_of_their_own_share_the_domains_of_a_scheduler(cluster, tmp_path):
    hosts = hosts_in(tmp_path)
    one, other = book_in(tmp_path / "x", "run-1"), book_in(tmp_path / "y", "run-2")
    with controller_of(cluster, one, hosts) as first, controller_of(cluster, other, hosts) as second:
        going = [first, second]
        while going:
            going = [controller for controller in going if controller.step()]
    assert coverage(one).is_whole
    assert coverage(other).is_whole
    assert overlapping(tmp_path) == []


@pytest.mark.slow
def test_a_lock_whose_holder_died_is_free_but_the_claim_stays_until_its_job_has_ended(cluster):
    running, waiting = (job("run-1", name, DOMAINS[name], "w", 5.0) for name in ("a", "b"))
    names = [WorkerHost(name, name, name, True, "") for name in NAMES]
    with existing(cluster.address, names) as workers:  # its controller takes the domains, and is never heard of again
        assert SharedClaims(workers.client, lambda *_: False).take(running) is None
    now, ended = [0.0], set()
    with existing(cluster.address, names) as workers:
        claims = SharedClaims(workers.client, lambda _, job_id: job_id in ended, lambda: now[0])
        held = claims.take(waiting)
        assert held is not None
        assert (held.job_id, held.host) == (running.id, "a")
        now[0] = schedule.longest_s(running) - 0.1
        assert claims.take(waiting) is not None
        ended.add(running.id)
        assert claims.take(waiting) is None
        claims.free(waiting.id)
        assert claims.take(running) is None
        ended.clear()
        now[0] = 1000.0
        assert claims.take(waiting) is not None  # seen for the first time now, whatever the clocks say
        now[0] += schedule.longest_s(running) + 0.1
        assert claims.take(waiting) is None


def test_a_task_is_pinned_to_one_worker_and_never_made_again():
    assert pinned("tcp://192.0.2.1:1") == {
        "workers": ["tcp://192.0.2.1:1"], "allow_other_workers": False, "retries": 0, "pure": False
    }  # fmt: skip
