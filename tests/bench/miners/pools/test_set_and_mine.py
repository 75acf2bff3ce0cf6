"""The whole way on loopback: a pool is set to our work server, shares come, and the former pool returns."""

import time

import pytest
from doubles.miners.carry import carry_out
from doubles.miners.mining import MiningAxeOS

from bench.miners.families import load
from bench.miners.link import WEB, Address
from bench.miners.pools import pools_of
from bench.miners.pools.writes import Target
from bench.miners.reader import Miner
from bench.stratum.server import ServerOptions
from bench.stratum.thread import WorkServer
from kernels.scan_cpu import variants

DIFFICULTY = 2.0**-14  # one share in 262,144 hashes: seconds even for a slow core that others use too


@pytest.fixture
def unit(request):
    names = [candidate.name for candidate in variants.candidates()]
    variant = next(name for name in ("shani", "neon_sha2", *names) if name in names)
    fake = MiningAxeOS(request.param, variant=variant, slice_nonces=1 << 18)
    yield fake
    fake.close()


def wait_until(holds):
    """Wait until something holds, which the server sees a moment later than the miner."""
    deadline_s = time.monotonic() + 300.0
    while not holds():
        assert time.monotonic() < deadline_s
        time.sleep(0.02)


@pytest.mark.parametrize("unit", ["v2.15.0"], indirect=True)
def test_a_unit_works_for_us_while_its_pool_is_set_and_not_before_or_after(unit):
    pools, miner = pools_of("axeos"), Miner(Address("127.0.0.1"), load("axeos"), ports={WEB: unit.port},
                                            sleep=lambda _: None)  # fmt: skip
    before = pools.snapshot(miner.poll().replies)
    assert miner.poll().reading.mode.hashing is False
    with WorkServer(ServerOptions(difficulty=DIFFICULTY)) as server:
        host, port = server.start("127.0.0.1", 0)
        target = Target(host, port, "perwatt.unit-1")
        for write in pools.to_set(before, before, target, None):
            carry_out(write, unit.port)
        wait_until(lambda: sum(server.shares.counts(0.0, 1e12).values()) >= 5)
        (session,) = [one for one in server.sessions() if one.ended_s is None]
        assert session.workers == ("perwatt.unit-1",)
        reading = miner.poll().reading
        assert reading.mode.hashing is True
        assert reading.rates[0].rate_h_s > 0.0
        for write in pools.to_restore(before, pools.snapshot(miner.poll().replies), target, None):
            carry_out(write, unit.port)
        assert unit.pool_in_use == ("pool.example.com", 3333, "worker.1")
        wait_until(lambda: all(one.ended_s is not None for one in server.sessions()))
    assert miner.poll().reading.mode.hashing is False
