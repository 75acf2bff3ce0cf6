"""Shards through a real Dask scheduler and workers on loopback: the same bits, whatever dies."""

import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from contextlib import ExitStack, contextmanager, suppress

import numpy as np
import pytest

from bench.device_rates import resolve_device
from hardware_profiles.errors import InputError
from sites.examples import example_path
from sites.file.build import load_site
from sites.file.inputs import read_inputs
from sites.horizon.outlook import horizon_outlook
from sites.scenarios import engine as fleet
from sites.scenarios.cluster import connect
from sites.scenarios.cluster import shards as fleet_dask
from sites.scenarios.cluster.shards import dask
from sites.scenarios.engine import Run, fleet_cases, run_fleet
from sites.scenarios.model import ScenarioModel, Uncertain

pytest.importorskip("distributed", reason="the extra `scale` is not installed")

MODEL = ScenarioModel({"btc": Uncertain(0.6), "demand": Uncertain(0.3, common_frac=0.4)})
RUN = Run(4, MODEL)
SCENARIOS = 2500
LIMIT_S = 600  # how long processes take to start is the host's matter


@contextmanager
def _process(*arguments):
    process = subprocess.Popen(
        [sys.executable, "-m", *arguments], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        env={**os.environ, "DASK_DISTRIBUTED__ADMIN__LOG_LENGTH": "0"},
    )  # fmt: skip
    try:
        yield process
    finally:
        process.kill()
        process.wait(LIMIT_S)


@contextmanager
def _cluster(folder, workers):
    """Start a scheduler on a port of the system's choice and as many workers, and wait until the scheduler listens."""
    file = folder / "scheduler.json"
    with ExitStack() as stack:
        scheduler = stack.enter_context(
            _process(
                "distributed.cli.dask_scheduler", "--host", "127.0.0.1", "--port", "0", "--no-dashboard",
                "--scheduler-file", str(file),
            )
        )  # fmt: skip
        made = [stack.enter_context(_worker(file)) for _ in range(workers)]
        yield _address(file, scheduler), scheduler, made


def _address(file, scheduler):
    limit = time.monotonic() + LIMIT_S
    while time.monotonic() < limit:
        assert scheduler.poll() is None, "the scheduler ended"
        try:
            return json.loads(file.read_text(encoding="utf-8"))["address"]
        except (FileNotFoundError, json.JSONDecodeError):  # it is not there, or only half written
            time.sleep(0.05)
    raise AssertionError("the scheduler did not listen")


def _worker(file):
    return _process(
        "distributed.cli.dask_worker", "--scheduler-file", str(file), "--host", "127.0.0.1", "--nthreads", "1",
        "--no-nanny", "--no-dashboard", "--memory-limit", "0", "--death-timeout", str(LIMIT_S),
    )  # fmt: skip


@pytest.fixture(scope="module")
def cluster(tmp_path_factory):
    """A scheduler and a worker that no test stops: the address, and the file that further workers read it from."""
    folder = tmp_path_factory.mktemp("cluster")
    with _cluster(folder, 1) as (address, _, _):
        yield address, folder / "scheduler.json"


@pytest.fixture(scope="module")
def cases():
    return fleet_cases([load_site(example_path(), resolve_device)], MODEL)


@pytest.fixture(scope="module")
def here(cases):
    return run_fleet(cases, RUN, SCENARIOS)


@pytest.mark.slow
def test_the_years_of_a_site_with_phases_have_the_bits_of_this_machine(cluster, tmp_path):
    """Parts of years go to the workers like years, with the month in which they begin."""
    path = tmp_path / "phased.toml"
    text = example_path("georgia-50mw-gpu-modules").read_text(encoding="utf-8")
    path.write_text(text.replace('name = "miners"\n', 'name = "miners"\nend = 2027-08-10\n'), encoding="utf-8")
    ((inputs, site),) = read_inputs(path, resolve_device)
    there = horizon_outlook([(inputs, site, 3)], RUN, SCENARIOS, execute=dask(cluster[0]))
    assert there == horizon_outlook([(inputs, site, 3)], RUN, SCENARIOS)


def _same_bits(run, here):
    assert np.array_equal(run.rows[0], here.rows[0])
    assert np.array_equal(run.totals[0], here.totals[0])


@pytest.mark.slow
def test_one_two_and_three_workers_give_the_bits_of_this_machine(cluster, cases, here, monkeypatch):
    from distributed import Client

    monkeypatch.setattr(fleet, "SHARD", 256)
    address, file = cluster
    notes = []
    with ExitStack() as more:
        for number in (1, 2, 3):
            if number > 1:
                more.enter_context(_worker(file))
            with Client(address, timeout=LIMIT_S, set_as_default=False) as client:
                client.wait_for_workers(number, timeout=LIMIT_S)
            execute = dask(address, connect_s=LIMIT_S, grace_s=LIMIT_S, on_note=notes.append)
            _same_bits(run_fleet(cases, RUN, SCENARIOS, execute=execute), here)
    assert notes == []


@pytest.mark.slow
def test_a_killed_worker_costs_time_and_no_bit(cluster, cases, here, monkeypatch):
    from distributed import Client

    monkeypatch.setattr(fleet, "SHARD", 32)
    address, file = cluster
    with _worker(file) as victim:
        with Client(address, timeout=LIMIT_S, set_as_default=False) as client:
            client.wait_for_workers(2, timeout=LIMIT_S)
        told = []

        def kill_one(done):
            told.append(done)
            if len(told) == 5:
                victim.send_signal(signal.SIGKILL)

        execute = dask(address, connect_s=LIMIT_S, grace_s=LIMIT_S)
        run = run_fleet(cases, RUN, SCENARIOS, execute=execute, on_progress=kill_one)
        assert victim.wait(LIMIT_S) == -signal.SIGKILL
        _same_bits(run, here)


@pytest.mark.slow
@pytest.mark.parametrize("victim", ["scheduler", "workers"])
def test_a_cluster_that_dies_is_said_and_the_rest_is_finished_here(cases, here, monkeypatch, tmp_path, victim):
    monkeypatch.setattr(fleet, "SHARD", 16)
    with _cluster(tmp_path, 1) as (address, scheduler, workers):
        told, notes = [], []

        def kill(done):
            told.append(done)
            if len(told) == 3:
                for process in [scheduler] if victim == "scheduler" else workers:
                    process.kill()

        # A living scheduler that is slow to answer must not count as lost when the workers are.
        execute = dask(address, connect_s=LIMIT_S, grace_s=3 if victim == "scheduler" else 60, on_note=notes.append)
        _same_bits(run_fleet(cases, RUN, SCENARIOS, execute=execute, on_progress=kill), here)
        assert len(notes) == 1
        assert f"{victim.removesuffix('s')}" in notes[0]
        assert "lost, after" in notes[0]
        assert "run on this machine" in notes[0]


def test_an_answer_that_arrives_late_does_not_prove_that_the_scheduler_still_lives():
    asked, answered = threading.Event(), threading.Event()

    class Client:
        status = "running"

        def scheduler_info(self, **_):
            asked.set()
            answered.wait(LIMIT_S)
            self.status = "closed"
            return {"workers": {"one": {}}}

    watch = fleet_dask._Watch(Client())
    started = watch.good_at
    assert asked.wait(LIMIT_S)
    ended = time.monotonic()
    answered.set()
    while watch.good_at == started and time.monotonic() < ended + LIMIT_S:
        time.sleep(0.01)
    assert watch.good_at > ended > watch.good_asked_at


def test_a_scheduler_that_is_not_there_is_refused(cases):
    with socket.socket() as bound:  # the port is taken, and nobody listens on it
        bound.bind(("127.0.0.1", 0))
        port = bound.getsockname()[1]
        with pytest.raises(InputError, match=rf"127.0.0.1:{port}: expected a Dask scheduler that answers in 0.2 s"):
            run_fleet(cases, RUN, 8, execute=dask(f"tcp://127.0.0.1:{port}", connect_s=0.2))


def test_what_listens_and_is_no_scheduler_is_refused_in_time(cases):
    with socket.create_server(("127.0.0.1", 0)) as silent:
        address = f"127.0.0.1:{silent.getsockname()[1]}"
        with pytest.raises(InputError, match="expected a Dask scheduler that answers in 1 s, got 'no answer"):
            run_fleet(cases, RUN, 8, execute=dask(address, connect_s=1))


ANSWERS = {
    "the page of a web server": b"HTTP/1.1 200 OK\r\n\r\nhello",
    "noise": bytes(range(256)) * 400,
    "a frame of an exabyte": (2**60).to_bytes(8, "little") * 3,
    "frames of nothing": bytes(100_000),
}


@pytest.mark.parametrize("answer", ANSWERS)
def test_what_answers_and_is_no_scheduler_is_refused_and_leaves_no_thread(cases, answer):
    with socket.create_server(("127.0.0.1", 0)) as server:

        def serve():
            with suppress(OSError):
                while True:
                    connection, _ = server.accept()
                    with connection, suppress(OSError):
                        connection.sendall(ANSWERS[answer])
                        connection.recv(1)

        threading.Thread(target=serve, daemon=True).start()
        address = f"127.0.0.1:{server.getsockname()[1]}"
        with pytest.raises(InputError, match="expected a Dask scheduler that answers in 5 s, got 'no answer"):
            run_fleet(cases, RUN, 8, execute=dask(address, connect_s=5))
        assert not [thread.name for thread in threading.enumerate() if thread.name.startswith("IO loop")]
        server.shutdown(socket.SHUT_RDWR)


@pytest.mark.parametrize("address", ["nonsense://x", "", "tcp://", "127.0.0.1:99999", "127.0.0.1"])
def test_an_address_that_is_none_is_refused(cases, address):
    with pytest.raises(InputError, match="--scheduler"):
        run_fleet(cases, RUN, 8, execute=dask(address, connect_s=1))


@pytest.mark.slow
def test_a_scheduler_without_workers_is_refused(cases, monkeypatch, tmp_path):
    from distributed import Client

    with _cluster(tmp_path, 0) as (address, scheduler, _):
        # The scheduler may be slow to greet; how long workers are waited for counts from then on.
        client = Client(address, timeout=LIMIT_S, set_as_default=False)
        answers = iter([None, client])
        monkeypatch.setattr(connect, "_within", lambda *_: next(answers))
        with pytest.raises(InputError, match=r"expected at least one worker within 0\.5 s, got none"):
            run_fleet(cases, RUN, 8, execute=dask(address, connect_s=0.5))
        assert scheduler.poll() is None


@pytest.mark.slow
def test_a_cluster_that_dies_between_two_runs_is_said_once_and_the_rest_is_run_here(cases, here, tmp_path):
    notes = []
    with _cluster(tmp_path, 1) as (address, scheduler, _):
        execute = dask(address, connect_s=LIMIT_S, grace_s=LIMIT_S, on_note=notes.append)
        _same_bits(run_fleet(cases, RUN, SCENARIOS, execute=execute), here)
        scheduler.kill()
        scheduler.wait(LIMIT_S)
        execute.connect_s = 0.5
        for _ in range(2):
            _same_bits(run_fleet(cases, RUN, SCENARIOS, execute=execute), here)
    assert len(notes) == 1
    assert "does not answer any more, the remaining shards are run on this machine" in notes[0]


@pytest.mark.slow
def test_workers_with_another_version_of_perwatt_do_not_get_a_word_in(cluster, cases, here, monkeypatch):
    monkeypatch.setattr(fleet_dask, "code_digest", lambda: "another")
    notes = []
    execute = dask(cluster[0], connect_s=LIMIT_S, grace_s=LIMIT_S, on_note=notes.append)
    _same_bits(run_fleet(cases, RUN, SCENARIOS, execute=execute), here)
    assert len(notes) == 1
    assert "workers failed ('RuntimeError: this worker has a different version of perwatt')" in notes[0]
    assert "run on this machine" in notes[0]
