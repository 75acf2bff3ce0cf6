"""Kill -9 of the controller, a worker or the scheduler at any moment: nothing is lost, nothing is measured twice."""

import subprocess
import sys

import pytest
from doubles.namespaces.operator_machine import operator, overlapping, unsound, until

pytestmark = pytest.mark.slow

DOMAINS = {"one": "rack", "two": "rack", "three": None}
RUN = ("lab", "run", "lab.toml", "--plan", "smoke", "matmul_f32_cpu")


@pytest.fixture
def machine(tmp_path):
    with operator(tmp_path, DOMAINS, within={"rack": None}) as machine:
        yield machine


def test_a_controller_killed_again_and_again_loses_nothing_and_measures_nothing_twice(machine):
    process = machine.start(*RUN, "--repeat", "2")
    for moment in (
        lambda: (machine.store / "labs").exists() and machine.events(),  # before anything is started
        lambda: machine.heard("starting", "one"),  # perhaps before the host has heard of it
        lambda: machine.runs_there("two"),
        lambda: machine.heard("ended", "three"),  # before or while it is collected
    ):
        until(moment, process)
        machine.kill(process)
        process = machine.start("lab", "resume")
    done = machine.end_of(process)
    assert done.returncode == 0, (done.stdout, done.stderr)
    is_whole(machine, 6)
    assert {job["attempt"] for job in machine.planned().values()} == {1}


def test_a_measurement_goes_on_without_its_worker(machine):
    process = machine.start(*RUN)
    machine.until_it_measures("one", process)
    kill_worker(machine, "one")
    done = machine.end_of(process)
    assert done.returncode == 0, (done.stdout, done.stderr)
    is_whole(machine, 3)
    assert {job["attempt"] for job in machine.planned().values()} == {1}


def test_a_scheduler_that_is_killed_ends_the_run_and_resume_completes_it(machine):
    scheduler, address = start_scheduler(machine)
    workers = [start_worker(machine, host, address) for host in DOMAINS]
    process = machine.start(*RUN, "--scheduler", address)
    machine.until_it_measures("three", process)
    scheduler.kill()
    scheduler.wait()
    done = machine.end_of(process)
    assert done.returncode == 1, (done.stdout, done.stderr)
    assert "scheduler" in done.stderr
    done = machine.perwatt("lab", "resume")
    assert done.returncode == 0, (done.stdout, done.stderr)
    is_whole(machine, 3)
    assert {job["attempt"] for job in machine.planned().values()} == {1}
    for worker in workers:
        worker.kill()
        worker.communicate()


def test_a_second_controller_of_a_run_is_refused_and_a_second_run_waits_for_the_domain(machine):
    first = machine.start(*RUN)
    machine.until_it_measures("one", first)
    second = machine.perwatt("lab", "resume")
    assert second.returncode == 2
    assert len(second.stderr.splitlines()) == 1, second.stderr
    other = machine.perwatt("lab", "run", "lab.toml", "--plan", "smoke", "matmul_f64_cpu")
    assert other.returncode == 0, (other.stdout, other.stderr)
    done = machine.end_of(first)
    assert done.returncode == 0, (done.stdout, done.stderr)
    books = [path for path in (machine.store / "labs").iterdir() if not path.name.startswith(".")]
    assert len(books) == 2
    endings = [ending for book in books for ending in machine.endings(book)]
    jobs = {id_: job for book in books for id_, job in machine.planned(book).items()}
    assert len(endings) == 6
    assert overlapping(endings, jobs) == []


def is_whole(machine, count):
    """Hold that so many measurements were made, each collected once, and that none of them overlapped."""
    assert machine.coverage()["counts"] == {"measured": count}
    assert overlapping(machine.endings(), machine.planned()) == []
    assert unsound(machine) == []
    results = [result for ending in machine.endings() for result in ending["results"]]
    assert len(results) == count
    assert set(results) == machine.results()


def kill_worker(machine, host):
    """Kill the Dask worker of a host by its number in the own process table of that host."""
    seen = machine.lab.run_on(host, ["pgrep", "-f", "distributed[.]cli"])
    assert seen.returncode == 0
    machine.lab.run_on(host, ["kill", "-9", *seen.stdout.split()])


def start_scheduler(machine):
    """Start Dask's own scheduler on the operator's machine and return it with its address."""
    file = machine.folder / "scheduler.json"
    argv = [sys.executable, "-m", "distributed.cli.dask_scheduler", "--host", "10.88.0.1", "--port", "8786"]
    process = machine.lab.start(
        [*argv, "--no-dashboard", "--no-show", "--scheduler-file", file], env=machine.environment(),
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    machine.started.append(process)
    until(file.exists, process)
    return process, "tcp://10.88.0.1:8786"


def start_worker(machine, host, address):
    """Start a Dask worker as an administrator would, and return the ssh that holds it."""
    options = "--nthreads 1 --no-nanny --no-dashboard"
    command = f"exec {sys.executable} -m distributed.cli.dask_worker {address} --name {host} {options}"
    argv = ["ssh", *machine.lab.ssh_options(), f"root@{machine.lab.hosts[host].address}", command]
    process = machine.lab.start(argv, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    machine.started.append(process)
    return process
