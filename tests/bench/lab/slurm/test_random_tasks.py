"""Tasks that Slurm begins at any moment: by their stamps, no two overlap in one power domain."""

import random
import threading
import time
from itertools import combinations

import pytest
from doubles.lab.folder_hosts import book_of, finish, job

from bench.lab.host.answer import answer
from bench.lab.inventory.lab import Host
from bench.lab.slurm import on_host

SEEDS = 30
DOMAINS = [("rack-1", "phase"), ("rack-2", "phase"), ("rack-3",), ()]


class Hosts:
    """Hosts that measure for a moment, and note from when to when they did."""

    def __init__(self, folder, jobs, draw):
        self.folder, self.jobs, self.spans = folder, {one.id: one for one in jobs}, {}
        self.takes_s = {one.id: draw.uniform(0.0, 0.01) for one in jobs}

    def answer(self, verb, folder, request):
        if verb != "start":
            return answer(verb, folder, request)
        one = self.jobs[request["job"]["id"]]
        start_s = time.monotonic()
        time.sleep(self.takes_s[one.id])
        self.spans[one.id] = start_s, time.monotonic()
        finish(self.folder / one.host, one)
        return {"state": "running"}


@pytest.mark.parametrize("seed", range(SEEDS))
def test_no_two_tasks_overlap_in_a_domain(seed, tmp_path, monkeypatch):
    draw = random.Random(seed)
    jobs = [
        job(host, number=number, domains=(f"host:{host}", *DOMAINS[draw.randrange(len(DOMAINS))]))
        for number, host in enumerate(draw.choices("abcd", k=6))
    ]
    book, hosts = book_of(tmp_path / "store", jobs), Hosts(tmp_path, jobs, draw)
    monkeypatch.setattr(on_host, "answer", hosts.answer)
    monkeypatch.setattr(on_host, "POLL_S", 0.002)

    def run(one, wait_s):
        time.sleep(wait_s)
        host = Host(one.host, one.host, "ssh", None, str(tmp_path / one.host), None, (), (), one.host)
        on_host.run_task(book, one, host, 2.0, lambda _: None)

    tasks = [threading.Thread(target=run, args=(one, draw.uniform(0.0, 0.02))) for one in jobs]
    for task in tasks:
        task.start()
    for task in tasks:
        task.join(30.0)
    assert hosts.spans.keys() == hosts.jobs.keys()
    for first, second in combinations(jobs, 2):
        if set(first.domains) & set(second.domains):
            (_, end), (start, _) = sorted((hosts.spans[first.id], hosts.spans[second.id]))
            assert end <= start, (first.host, second.host)
