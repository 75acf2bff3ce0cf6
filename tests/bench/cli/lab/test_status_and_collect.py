"""`perwatt lab status` and `collect`: the coverage of a run, and a collecting that may be killed anywhere."""

import json
import os
import signal
import subprocess
import sys
import time

import pytest
from doubles.lab.folder_hosts import book_of, finish, job

from bench.machine.identity import machine_key
from bench.results.folder import read_whole
from bench.results.layout import result_names, unfinished_folders


def perwatt(*arguments, **options):
    return subprocess.run(
        [sys.executable, "-m", "bench", "lab", *arguments], capture_output=True, text=True, check=False, **options
    )


@pytest.fixture
def run(tmp_path):
    """A run on two names of this machine: seven measurements have ended, one is lost, one was refused."""
    hosts = {name: tmp_path / name for name in ("a", "b")}
    jobs = [job(name, number=number, host_id=machine_key()) for name in hosts for number in range(4)]
    extra = job("c", host_id="")
    for number, one in enumerate(jobs[:-1]):
        finish(hosts[one.host], one, number=number)
    toml = "[lab]\nname = 'x'\n" + "".join(
        f"[[host]]\nname = '{name}'\nreach = 'local'\nfolder = '{folder}'\n" for name, folder in hosts.items()
    )
    book = book_of(tmp_path / "results", [*jobs, extra], toml.encode())
    for one in jobs:
        book.append("starting", job=one.id, host=one.host)
    book.append("lost", job=jobs[-1].id, host="b", code="lost", detail="no sign of life since 22:01 UTC")
    book.append("refused", job=extra.id, host="c", code="unreachable", detail="no route to host")
    return book


def test_the_status_names_every_measurement_and_why_it_is_missing(run):
    done = perwatt("status", "--results", str(run.store))
    assert (done.returncode, done.stderr) == (1, "")
    assert done.stdout.startswith("coverage   x, run 20261130T220000Z-lab: 9 planned: 7 running, 1 refused, 1 lost\n")
    assert "the host does not answer: no route to host" in " ".join(done.stdout.split())
    assert "the host disappeared while the job ran: no sign of life since 22:01 UTC" in " ".join(done.stdout.split())
    document = json.loads(perwatt("status", "--json", "--results", str(run.store)).stdout)
    assert document["counts"] == {"running": 7, "refused": 1, "lost": 1}
    assert {row["code"] for row in document["measurements"]} == {None, "unreachable", "lost"}


def test_collecting_brings_what_has_ended_and_says_what_is_missing(run):
    done = perwatt("collect", "--results", str(run.store))
    assert done.returncode == 1
    assert "a: 4 jobs collected" in done.stdout
    assert "b: 3 jobs collected" in done.stdout
    assert "9 planned: 7 measured, 1 refused, 1 lost" in done.stdout
    assert len(result_names(run.store)) == 7
    again = json.loads(perwatt("collect", "--json", "--results", str(run.store)).stdout)
    assert [host["stored"] for host in again["hosts"]] == [[]]
    assert again["coverage"]["counts"] == {"measured": 7, "refused": 1, "lost": 1}


@pytest.mark.slow
def test_a_collecting_that_is_killed_at_any_point_loses_nothing_and_doubles_nothing(run):
    for after_s in (0.5, 0.8, 1.0, 1.2, 1.5):
        process = subprocess.Popen(
            [sys.executable, "-m", "bench", "lab", "collect", "--results", str(run.store)],
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True,
        )  # fmt: skip
        time.sleep(after_s)
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        for name in result_names(run.store):
            read_whole(run.store / name)
    perwatt("collect", "--results", str(run.store))
    document = json.loads(perwatt("status", "--json", "--results", str(run.store)).stdout)
    assert document["counts"] == {"measured": 7, "refused": 1, "lost": 1}
    assert len(result_names(run.store)) == 7
    assert unfinished_folders(run.store) == []


def test_a_store_without_a_run_and_an_unknown_run_are_one_line(tmp_path, run):
    done = perwatt("status", "--results", str(tmp_path / "none"))
    assert (done.returncode, done.stderr.count("\n")) == (2, 1)
    assert "expected a lab run, got none; `perwatt lab run` makes one" in done.stderr
    done = perwatt("collect", "2027", "--results", str(run.store))
    assert (done.returncode, done.stderr.count("\n")) == (2, 1)
    assert "expected a known run id, got '2027'" in done.stderr


def test_a_damaged_ledger_is_one_line(run):
    path = run.folder / "ledger.jsonl"
    path.write_bytes(b"{}\n" + path.read_bytes())
    done = perwatt("status", "--results", str(run.store))
    assert done.returncode == 2
    assert all(line.startswith(f"error: {path}: line 1: ") for line in done.stderr.splitlines())


@pytest.mark.parametrize("line", ["nonsense", "{}", "[]", '{"verb": 1}', "\x00"])
def test_a_host_that_is_sent_nonsense_says_so_on_one_line(line):
    done = perwatt("host", input=f"{line}\n")
    assert done.returncode == 2
    assert done.stderr.startswith("error: request")
    assert "internal" not in done.stderr
