"""The script on a real Slurm: nothing overlaps, a lost node still measures, a forced requeue measures nothing."""

import re
from itertools import pairwise

import pytest
from doubles.slurm.cluster import Cluster
from doubles.slurm.lab import SlurmLab, missing
from faults.command import of_the_whole_suite

REASON = missing()
pytestmark = [pytest.mark.slow, pytest.mark.skipif(bool(REASON), reason=REASON or "a lab of nodes can run here")]
NODES = {"n1": "rack", "n2": "phase", "n3": None}


@pytest.fixture
def lab(tmp_path):
    with Cluster(tuple(NODES)) as cluster:
        yield SlurmLab(tmp_path, cluster, NODES)


def submit(lab, *words):
    """Write a script and submit it."""
    printed = lab.perwatt("script", *words)
    lab.cluster.run("sh", re.search(r"sh (\S+)", printed)[1], cwd=lab.folder)


def test_a_run_with_a_lost_node_and_a_forced_requeue_never_overlaps_and_resumes(lab):
    cluster = lab.cluster
    submit(lab, lab.file, "--plan", "smoke", "sha256d_scan_cpu")
    begun = cluster.until(lambda: {event.host for event in lab.book.events()} & {"n1", "n2"}, "one of a domain begins")
    first, second = (lab.job(node) for node in sorted(("n1", "n2"), key=lambda node: node not in begun))
    running, alone = lab.measuring(first), lab.job("n3")
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
    cluster.until(lambda: "Slurm has started this task again" in lab.logs(), "the second start is refused")

    # The node of the first is lost to Slurm, which starts the second of the same domain; it waits for the first.
    cluster.cut_off(first.host)
    cluster.until(lambda: f"waiting for job {first.id} (phase)" in lab.logs(), "the second waits")
    assert lab.row(second.host).state == "planned"
    running.resume()
    cluster.until(lambda: lab.row(second.host).state == "ended", "the second measures")
    cluster.until(lambda: not cluster.queue(), "nothing is left in the queue")
    assert {host: (lab.row(host).state, lab.row(host).code) for host in NODES} == {
        "n1": ("ended", "not_collected"), "n2": ("ended", "not_collected"), "n3": ("failed", "cancelled"),
    }, lab.logs()  # fmt: skip
    spans = lab.spans("n1", "n2")
    assert len(spans) == 2
    assert all(end < start for (_, end), (start, _) in pairwise(spans))

    # Only what is missing is submitted again, as a job of its own.
    submit(lab, "--resume", lab.book.plan.run_id)
    cluster.until(lambda: lab.row("n3").code == "not_collected", "the second attempt measures")
    assert (lab.job("n3").attempt, lab.job("n3").supersedes) == (2, alone.id)
    assert [event.kind for event in lab.book.events() if event.job == second.id] == ["starting", "ended"]

    # Over srun the results come here, that of the lost node too when it is back.
    cluster.restart(first.host)
    cluster.until(lambda: cluster.states()[first.host] == "idle", "the lost node is back")
    assert "3 planned: 3 measured" in lab.perwatt("collect")
    assert len(list(lab.store.glob("*/result.json"))) == 3


@of_the_whole_suite
def test_dask_workers_as_jobs_of_slurm_measure_each_on_its_own_node(lab):
    printed = lab.perwatt(
        "run",
        lab.file,
        "--slurm",
        "--slurm-option",
        "--time=10",
        "--host",
        "n[1-2]",
        "--plan",
        "smoke",
        "memory_copy_cpu",
    )
    assert "2 planned: 2 measured" in printed
    assert {lab.row(node).job.host_id for node in ("n1", "n2")} == {
        event.data["host_id"] for event in lab.book.events() if event.kind == "checked"
    }
    (_, end), (start, _) = lab.spans("n1", "n2")
    assert end < start
    lab.cluster.until(lambda: not lab.cluster.queue(), "no job of a worker is left")
