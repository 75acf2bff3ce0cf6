"""The Dask workers of a run: quiet, one a host, and a host that fails is a line."""

import asyncio
import os
import time

import pytest
from doubles.lab.world import job

from bench.lab.run.on_host import bundle_piece
from bench.lab.run.quiet_worker import HEARTBEAT_S, NO_DASHBOARD, QuietWorker, worker_options
from bench.lab.run.schedule import longest_s
from bench.lab.run.workers import WorkerHost, Workers, own, source_address
from hardware_profiles.errors import InputError

pytest.importorskip("distributed")


class Started:
    """What Dask would start; one of them fails, one never ends its start."""

    closed = ()

    def __init__(self, _scheduler, host):
        self.host = host

    def __await__(self):
        if self.host.name == "bad":
            raise RuntimeError("Command exited with non-zero exit code.\nstderr:\nPermission denied\n")
        return asyncio.sleep(0).__await__()

    async def close(self):
        Started.closed += (self.host.name,)


def test_a_host_whose_worker_does_not_start_is_one_line_and_the_others_start():
    hosts = [WorkerHost(name, name, name, True, "python") for name in ("good", "bad", "other")]
    with own(hosts, Started, listen="127.0.0.1") as workers:
        assert workers.missing == {"bad": "'RuntimeError: Permission denied'"}
        assert workers.addresses() == {}
    assert set(Started.closed) == {"good", "bad", "other"}


def test_a_worker_that_sends_no_heartbeats_is_gone_whatever_its_clock_says(monkeypatch):
    now = [0.0]
    monkeypatch.setattr("bench.lab.run.workers.time.monotonic", lambda: now[0])
    seen = {"tcp://a": {"name": "a", "last_seen": 9e9}}
    monkeypatch.setattr(Workers, "identity", lambda _: seen)
    workers = Workers(None, [WorkerHost("a", "a", "a", True, "python")])
    assert workers.addresses() == {"a": "tcp://a"}
    now[0] = 2.6 * HEARTBEAT_S
    assert workers.addresses() == {}
    assert workers.heard_s("a") == pytest.approx(time.time() - now[0], abs=5.0)
    assert workers.heard_s("b") == 0
    seen["tcp://a"]["last_seen"] += 1
    assert workers.addresses() == {"a": "tcp://a"}


def test_the_worker_of_a_host_under_test_has_one_thread_and_a_slow_heartbeat():
    async def beat():
        from distributed import Scheduler

        async with (
            Scheduler(host="127.0.0.1", port=0, **NO_DASHBOARD) as scheduler,
            QuietWorker(scheduler.address, **worker_options("a")) as worker,
        ):
            await worker.heartbeat()
            return worker.periodic_callbacks["heartbeat"].callback_time, worker.state.nthreads

    assert asyncio.run(beat()) == (1000 * HEARTBEAT_S, 1)


def test_the_scheduler_listens_where_the_hosts_route_to():
    assert source_address([WorkerHost("a", "a", "x@127.0.0.1", False, "python")]) == "127.0.0.1"
    assert source_address([WorkerHost("a", "a", "somewhere", True, "python")]) == "127.0.0.1"


def test_hosts_that_are_reached_from_two_addresses_need_a_stated_one(monkeypatch):
    monkeypatch.setattr("bench.lab.run.workers._source", lambda address: f"198.51.100.{len(address)}")
    hosts = [WorkerHost(name, name, name, False, "python") for name in ("192.0.2.1", "192.0.2.10")]
    with pytest.raises(InputError, match="--listen: expected the address of this machine that all hosts reach"):
        source_address(hosts)


def test_the_pieces_of_a_bundle_are_those_of_one_tar(tmp_path, monkeypatch):
    monkeypatch.setattr("bench.lab.run.on_host.PIECE_BYTES", 1000)
    one = job("run-1", "a", [], "w")
    folder = tmp_path / "jobs" / one.id
    folder.mkdir(parents=True)
    content = os.urandom(5000)
    (folder / "log.txt").write_bytes(content)
    (folder / "MANIFEST.sha256").write_text("")
    pieces = []
    while piece := bundle_piece(str(tmp_path), [one.id], sum(map(len, pieces))):
        pieces.append(piece)
    assert {len(piece) for piece in pieces[:-1]} == {1000}
    assert content in b"".join(pieces)
    assert len(b"".join(pieces)) % 512 == 0


def test_a_silent_host_holds_its_domains_for_its_start_its_deadline_and_a_margin():
    assert longest_s(job("run-1", "a", [], "w", 100.0)) == 60 + 100 + 75
