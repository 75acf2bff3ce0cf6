"""Hosts over a real sshd on loopback: known keys only, no password, and a lost connection loses nothing."""

import contextlib
import os
import shutil
import signal
import subprocess
import time

import psutil
import pytest
from doubles.lab.folder_hosts import book_of, finish, job
from doubles.lab.sshd import Sshd, keygen, skip_without_sshd

from bench.lab.collect.hosts import collect_host
from bench.lab.errors import HostError
from bench.lab.inventory.lab import Host
from bench.lab.reach import ssh
from bench.lab.reach.ssh import SshReach
from bench.machine.identity import machine_key
from bench.results.labs.coverage import coverage
from bench.results.layout import result_names

skip_without_sshd()


@pytest.fixture(autouse=True)
def own_sockets(tmp_path_factory, monkeypatch):
    """Connections are shared within one test only, and their masters end with it."""
    folder = tmp_path_factory.mktemp("s")
    monkeypatch.setattr(ssh, "_sockets", lambda: str(folder))
    yield
    for process in psutil.process_iter(["cmdline"]):
        if any(str(folder) in word for word in process.info["cmdline"] or ()):
            with contextlib.suppress(psutil.NoSuchProcess):
                process.kill()


@pytest.fixture
def server(tmp_path):
    sshd = Sshd(tmp_path / "sshd")
    yield sshd
    sshd.stop()


def reach_of(server, folder, **changes):
    parts = {
        "name": "a", "address": server.address, "reach": "ssh", "python": server.python, "folder": str(folder),
        "domain": None, "meters": (), "tags": (), "worker": "a", **changes,
    }  # fmt: skip
    return SshReach(Host(**parts), server.config)


def code_of(reach):
    with pytest.raises(HostError) as caught:
        reach.ask("hello")
    assert "\n" not in str(caught.value)
    return caught.value.code


def test_many_requests_go_over_one_connection_and_the_host_says_who_it_is(server, tmp_path):
    reach = reach_of(server, tmp_path / "host")
    with reach.open() as channel:
        first, second = channel.ask("clock"), channel.ask("clock")
        assert channel.ask("hello")["host_id"] == machine_key()
    assert 0 < second["monotonic_s"] - first["monotonic_s"] < 1
    fingerprint = subprocess.check_output(["ssh-keygen", "-lf", f"{server.host_key}.pub"], text=True).split()[1]
    assert reach.host_key() == f"ssh-ed25519 {fingerprint}"


def test_a_host_that_shows_another_key_is_refused(server, tmp_path):
    server.trust(keygen(tmp_path / "other"))
    reach = reach_of(server, tmp_path / "host")
    assert code_of(reach) == "host_changed"
    with pytest.raises(HostError, match="its ssh key is not the one in known_hosts"):
        reach.host_key()


def test_a_host_whose_key_nobody_has_seen_is_refused(server, tmp_path):
    (server.folder / "known_hosts").write_text("")
    assert code_of(reach_of(server, tmp_path / "host")) == "host_key_unknown"


def test_a_login_without_a_key_is_refused_and_no_password_is_asked_for(server, tmp_path):
    (server.folder / "authorized_keys").write_text("")
    assert code_of(reach_of(server, tmp_path / "host")) == "no_login"


def test_a_host_without_sshd_does_not_answer(server, tmp_path):
    server.stop()
    assert code_of(reach_of(server, tmp_path / "host")) == "unreachable"


def test_a_name_that_is_no_host_does_not_answer(server, tmp_path):
    assert code_of(reach_of(server, tmp_path / "host", address="no-such-host.invalid")) == "unreachable"


@pytest.mark.parametrize("python", ["/no/such/python", "~/no such/python", "/bin/false; echo hacked"])
def test_a_host_without_perwatt_says_so(server, tmp_path, python):
    assert code_of(reach_of(server, tmp_path / "host", python=python)) == "no_perwatt"


def test_a_request_that_takes_too_long_is_given_up(server, tmp_path):
    reach = reach_of(server, tmp_path / "host")
    with reach.open() as channel, pytest.raises(HostError) as caught:
        channel.ask("hello", limit_s=0.001)
    assert caught.value.code == "no_answer"


def finished(server, tmp_path, number=5):
    jobs = [job("a", number=n, host_id=machine_key()) for n in range(number)]
    for n, one in enumerate(jobs):
        finish(tmp_path / "host", one, number=n)
    return book_of(tmp_path / "results", jobs), jobs, reach_of(server, tmp_path / "host")


def test_finished_jobs_are_collected_over_ssh(server, tmp_path):
    book, jobs, reach = finished(server, tmp_path)
    done = collect_host(book, reach)
    assert (done.error, done.refused) == (None, {})
    assert sorted(done.stored) == sorted(one.id for one in jobs)


@pytest.mark.slow
@pytest.mark.parametrize("after_s", [0.2, 0.6, 0.9, 1.2])
def test_an_ssh_that_is_killed_at_any_point_loses_nothing(server, tmp_path, after_s):
    from threading import Thread

    book, _, reach = finished(server, tmp_path)
    runner = Thread(target=collect_host, args=(book, reach))
    runner.start()
    time.sleep(after_s)
    for process in psutil.Process().children(recursive=True):
        with contextlib.suppress(psutil.NoSuchProcess):  # it has just ended
            if process.name() == "ssh":
                process.kill()
    runner.join(60)
    assert not runner.is_alive()
    collect_host(book, reach)
    assert coverage(book).is_whole
    assert len(result_names(book.store)) == 5


@pytest.mark.slow
def test_a_job_goes_on_when_ssh_and_sshd_are_killed_and_its_result_is_collected_later(server, tmp_path):
    from bench.lab.host.identity import code_version

    one = job(
        "a", "matmul_f32_cpu", host_id=machine_key(), perwatt_version=code_version(),
        argv=("matmul_f32_cpu", "--plan", "smoke", "--threads", "1", "--meter", "none"),
    )  # fmt: skip
    book, reach = book_of(tmp_path / "results", [one]), reach_of(server, tmp_path / "host")
    book.append("starting", job=one.id, host="a")
    with reach.open() as channel:
        assert channel.ask("start", {"job": one.model_dump(mode="json")})["state"] == "running"
        for process in psutil.process_iter(["cmdline"]):
            if any(str(tmp_path / "sshd") in word for word in process.info["cmdline"] or ()):
                with contextlib.suppress(ProcessLookupError):
                    os.kill(process.pid, signal.SIGKILL)
        with pytest.raises(HostError):
            channel.ask("state", limit_s=10)
    server.start()
    until = time.monotonic() + 60
    while not coverage(book).is_whole:
        assert time.monotonic() < until
        collect_host(book, reach)
        time.sleep(0.2)
    shutil.rmtree(tmp_path / "host")
