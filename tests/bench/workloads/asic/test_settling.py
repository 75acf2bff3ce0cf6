"""A miner has settled when its shares come at a constant rate and its firmware does not say otherwise."""

import random

import pytest
from doubles.clock import VirtualClock
from doubles.work_server import FakeWorkServer

from bench.errors import RunFailedError
from bench.stratum.difficulty import hashes_of
from bench.workloads.asic.settling import block_length_s, settle, stationary

D = 4096.0
RATE_H_S = 10.0 * hashes_of(D)  # ten shares a second


@pytest.fixture
def wait(monkeypatch):
    clock = VirtualClock()
    monkeypatch.setattr("bench.workloads.asic.settling.time", clock)

    def wait_(server, firmware=lambda: None, block_s=30.0, limit_s=2700.0):
        return settle(server.shares.table, block_s, firmware, limit_s=limit_s)

    wait_.clock = clock
    return wait_


def test_a_steady_miner_settles_after_three_blocks(wait):
    settled = wait(FakeWorkServer(RATE_H_S, D, start_s=990.0, end_s=4000.0))
    assert settled.settled
    assert settled.after_s in {90.0, 120.0, 150.0}


def test_a_miner_that_ramps_up_settles_after_the_ramp(wait):
    gaps = [(1000.0 + t, 1000.0 + t + 1.0 - t / 300.0) for t in range(300)]
    settled = wait(FakeWorkServer(RATE_H_S, D, start_s=990.0, end_s=4000.0, gaps=gaps))
    assert settled.settled
    assert settled.after_s > 240.0


def test_the_firmwares_no_counts_and_its_silence_does_not(wait):
    server = FakeWorkServer(RATE_H_S, D, start_s=990.0, end_s=9000.0)
    settled = wait(server, firmware=lambda: wait.clock.monotonic() > 1600.0)
    assert settled.settled
    assert settled.after_s >= 600.0
    assert "the firmware says so too" in settled.by


def test_after_the_limit_the_miner_is_not_settled(wait):
    settled = wait(FakeWorkServer(RATE_H_S, D, start_s=990.0, end_s=9000.0), firmware=lambda: False)
    assert not settled.settled
    assert 2640.0 <= settled.after_s <= 2700.0
    assert "not ready" in settled.by


def test_a_miner_that_sends_nothing_is_given_up(wait):
    with pytest.raises(RunFailedError, match="no valid share for 90 s"):
        wait(FakeWorkServer(RATE_H_S, D, start_s=0.0, end_s=1.0))


def test_blocks_are_long_enough_for_300_shares_within_limits():
    assert block_length_s(10.0, 1.0) == 30.0
    assert block_length_s(1000.0, 60.0) == 60.0
    assert block_length_s(0.1, 60.0) == 300.0


def test_counts_within_their_chance_are_stationary_and_others_are_not():
    draws = random.Random(1)

    def block(mean):
        return sum(draws.random() < mean / 10_000 for _ in range(10_000))

    alarms = sum(not stationary([block(300), block(300), block(300)]) for _ in range(200))
    missed = sum(stationary([block(200), block(300), block(400)]) for _ in range(50))
    assert alarms <= 20
    assert missed == 0
    assert not stationary([5, 5, 5])
    assert not stationary([300])
