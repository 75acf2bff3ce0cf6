"""A node of a real Slurm is drained while its job runs to the end, and what a person drained stays so."""

import os

import pytest
from doubles.slurm import cluster as slurm

from bench.levers.protocol import Evidence, Reply
from bench.levers.registry import open_lever
from sites.control.model import UnitState

pytestmark = pytest.mark.skipif(bool(slurm.missing()), reason=slurm.missing() or "runs here")


def test_a_real_node_is_drained_after_its_job_resumed_as_found_and_left_to_a_person(held, monkeypatch):
    with slurm.Cluster(nodes=("n1",)) as cluster:
        monkeypatch.setenv("SLURM_CONF", cluster.variables["SLURM_CONF"])
        monkeypatch.setenv("PATH", f"{os.environ['PATH']}:/usr/sbin:/sbin")
        node = held(open_lever("slurm", "n1"))
        before = node.as_found()
        go_on = cluster.folder / "go on"
        wait = f"until test -e '{go_on}'; do sleep 0.05; done"
        job = cluster.run("sbatch", "--parsable", "--output=/dev/null", f"--wrap={wait}")
        cluster.until(lambda: cluster.queue().get(job) == "RUNNING", "the job runs")
        assert node.to("off").reply is Reply.ACCEPTED
        assert node.look().state is UnitState.CHANGING
        assert cluster.queue() == {job: "RUNNING"}
        go_on.touch()
        cluster.until(lambda: node.shows("off") is Evidence.CONFIRMED, "the node is drained and idle")
        assert cluster.show(job)["JobState"] == "COMPLETED"
        assert node.restore(before).reply is Reply.ACCEPTED
        cluster.until(lambda: node.shows("on") is Evidence.CONFIRMED, "the node takes jobs")  # a moment later
        assert node.as_found() == before
        cluster.run("scontrol", "update", "NodeName=n1", "State=DRAIN", "Reason=fan broken")
        assert node.to("on").says == "drained_by_others: fan broken"
        assert node.shows("off") is Evidence.CONFIRMED
