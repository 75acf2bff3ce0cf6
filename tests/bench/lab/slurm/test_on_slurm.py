"""The script on a real Slurm: nothing overlaps, a lost node still measures, a forced requeue measures nothing."""

import re
import sys
from itertools import pairwise
from pathlib import Path

import psutil
import pytest
from click.testing import CliRunner
from doubles.slurm.cluster import Cluster, missing

from bench.cli import perwatt
from bench.lab.host import layout
from bench.lab.host.sealing import read_started
from bench.results.labs.book import Book
from bench.results.labs.coverage import coverage

ROOT = Path(__file__).resolve().parents[4]
pytestmark = [pytest.mark.slow, pytest.mark.skipif(bool(missing()), reason=missing() or "a Slurm can run here")]
LAB = """\
[lab]
name = "on slurm"
[[domain]]
name = "rack"
within = "phase"
[[domain]]
name = "phase"
"""
NODES = {"n1": "rack", "n2": "phase", "n3": None}


class OnSlurm:
    """A lab of three nodes on one machine: each has its own folder of jobs and its own locks."""

    def __init__(self, folder, cluster):
        self.folder, self.cluster, self.store = folder, cluster, folder / "results"
        text = LAB
        for node, domain in NODES.items():
            (folder / node).mkdir()
            python = folder / node / "python"
            locks = folder / node / "locks"
            python.write_text(f'#!/bin/sh\nPERWATT_LOCKS={locks} PYTHONPATH={ROOT} exec {sys.executable} "$@"\n')
            python.chmod(0o755)
            text += f'[[host]]\nname = "{node}"\npython = "{python}"\nfolder = "{folder / node}"\nreach = "slurm"\n'
            text += f'domain = "{domain}"\n' if domain else ""
        (folder / "lab.toml").write_text(text)

    def script(self, *words):
        """Call `perwatt lab script` and submit what it writes; return the book."""
        done = CliRunner().invoke(
            perwatt, ["lab", "script", *map(str, words), "--out", str(self.store)], standalone_mode=False
        )
        assert (done.exception, done.return_value) == (None, 0), done.output
        self.cluster.run("sh", re.search(r"sh (\S+)", done.output)[1])
        return Book.open(self.store)

    def collect(self):
        """Call `perwatt lab collect`, which asks the nodes over srun, and return what it prints."""
        done = CliRunner().invoke(perwatt, ["lab", "collect", "--results", str(self.store)], standalone_mode=False)
        assert (done.exception, done.return_value) == (None, 0), done.output
        return done.output

    def job(self, book, node):
        """Return the newest job of a node."""
        return [job for job in book.jobs().values() if job.host == node][-1]

    def measuring(self, job):
        """Wait until a job measures, and return its process, suspended."""
        partial = layout.partial(self.folder / job.host, job.id)

        def child():
            _, keeper = read_started(partial)
            return psutil.Process(keeper).children()[0] if keeper and psutil.Process(keeper).children() else None

        process = self.cluster.until(child, f"{job.host} measures")
        process.suspend()
        return process

    def log(self, book, word):
        """Return whether a task has printed a text."""
        return word in self.logs(book)

    def logs(self, book):
        """Return what all tasks have printed."""
        return "".join(path.read_text() for path in sorted((book.folder / "slurm").glob("*.txt")))

    def rows(self, book):
        return {row.job.host: row for row in coverage(book).rows}


@pytest.fixture
def lab(tmp_path, monkeypatch):
    with Cluster(tuple(NODES)) as cluster:
        for name in ("SLURM_CONF", "PATH"):
            monkeypatch.setenv(name, cluster.variables[name])
        yield OnSlurm(tmp_path, cluster)


def stamps(book):
    """Return host, start and end of every measurement, by the clock of the machine that all nodes are, in order."""
    endings = [event.data["ending"] for event in book.events() if event.kind == "ended"]
    spans = [(end["started"]["monotonic_s"], end["ended"]["monotonic_s"], end["host"]) for end in endings]
    return sorted(spans)


def test_a_run_with_a_lost_node_and_a_forced_requeue_never_overlaps_and_resumes(lab):
    cluster = lab.cluster
    book = lab.script(lab.folder / "lab.toml", "--plan", "smoke", "sha256d_scan_cpu")
    started = cluster.until(lambda: {e.host for e in book.events()} & {"n1", "n2"}, "one of the domain starts").pop()
    first, second = lab.job(book, started), lab.job(book, "n2" if started == "n1" else "n1")
    running, alone = lab.measuring(first), lab.job(book, "n3")
    queue = cluster.queue()
    assert sorted(queue.values()) == ["PENDING", "RUNNING", "RUNNING"], "one of the domain, and the node without one"

    # A requeue is refused; forced by the operator, the task that Slurm starts again measures nothing.
    lab.measuring(alone)
    (other,) = [task for task in queue if cluster.show(task)["NodeList"] == "n3"]
    assert "disabled" in cluster.run("scontrol", "requeue", other, status=1)
    cluster.run("scontrol", "update", f"JobId={other}", "Requeue=1")
    cluster.run("scontrol", "requeue", other)
    cluster.until(lambda: cluster.queue().get(other) == "PENDING", "the task waits again")
    cluster.run("scontrol", "update", f"JobId={other}", "StartTime=now")
    cluster.until(lambda: lab.log(book, "Slurm has started this task again"), "the second start is refused")

    # The node of the first is lost to Slurm, which starts the second of the same domain; it waits for the first.
    cluster.cut_off(first.host)
    cluster.until(lambda: lab.log(book, f"waiting for job {first.id} (phase)"), "the second waits")
    assert lab.rows(book)[second.host].state == "planned"
    running.resume()
    cluster.until(lambda: lab.rows(book)[second.host].state == "ended", "the second measures")
    cluster.until(lambda: not cluster.queue(), "nothing is left in the queue")

    rows = lab.rows(book)
    assert {host: (row.state, row.code) for host, row in rows.items()} == {
        "n1": ("ended", "not_collected"), "n2": ("ended", "not_collected"), "n3": ("failed", "cancelled"),
    }, lab.logs(book)  # fmt: skip
    in_phase = [span for span in stamps(book) if span[2] != "n3"]
    assert all(end < start for (_, end, _), (start, _, _) in pairwise(in_phase))

    # Only what is missing is submitted again, as a job of its own.
    lab.script("--resume", book.plan.run_id)
    cluster.until(lambda: lab.rows(book)["n3"].code == "not_collected", "the second attempt measures")
    again = lab.rows(book)["n3"].job
    assert (again.attempt, again.supersedes) == (2, alone.id)
    assert [event.kind for event in book.events() if event.job == second.id] == ["starting", "ended"]

    # Over srun the results come here, that of the lost node too when it is back.
    cluster.restart(first.host)
    cluster.until(lambda: cluster.states()[first.host] == "idle", "the lost node is back")
    assert "3 planned: 3 measured" in lab.collect()
    assert len(list(lab.store.glob("*/result.json"))) == 3
