"""Dask workers as jobs of a real Slurm: each on the node of its host, alone, and a node that fails is a line."""

import os
import sys

import pytest
from doubles.slurm.cluster import Cluster, missing

from bench.lab.reach.dask import pinned
from bench.lab.run.workers import WorkerHost, by_slurm, own

pytest.importorskip("dask_jobqueue")
pytestmark = [pytest.mark.slow, pytest.mark.skipif(bool(missing()), reason=missing() or "Slurm runs here")]

VARIABLES = ("SLURMD_NODENAME", "SLURM_JOB_ID")


@pytest.fixture
def cluster(monkeypatch):
    started = Cluster(nodes=("n1", "n2"))
    for name, value in started.variables.items():
        monkeypatch.setenv(name, str(value))
    yield started
    started.close()


def host(name):
    return WorkerHost(name, name, name, local=False, python=sys.executable)


def test_each_host_has_the_worker_of_its_node_and_an_unknown_node_is_a_line(cluster, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)  # where Slurm writes the output of the jobs
    hosts = [host("n1"), host("n2"), host("n9")]
    with own(hosts, by_slurm(("--comment=lab",), 300.0), listen="127.0.0.1") as workers:
        assert workers.missing.keys() == {"n9"}
        assert "\n" not in workers.missing["n9"]
        workers.client.wait_for_workers(2, timeout=60)
        addresses = workers.addresses()
        assert addresses.keys() == {"n1", "n2"}
        asked = {name: [workers.client.submit(os.getenv, variable, **pinned(address)) for variable in VARIABLES]
                 for name, address in addresses.items()}  # fmt: skip
        said = {name: [future.result(timeout=30) for future in futures] for name, futures in asked.items()}
        assert {name: node for name, (node, _) in said.items()} == {"n1": "n1", "n2": "n2"}
        job = said["n1"][1]
        shown = cluster.run("scontrol", "show", "job", job)
        assert "Requeue=0" in shown
        assert "Comment=lab" in shown
