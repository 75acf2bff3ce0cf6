"""The simulated miner against the real work server on loopback, over real sockets."""

import socket
import threading

import pytest

from bench.stratum.difficulty import hashes_of
from bench.stratum.server import ServerOptions
from bench.stratum.simulator.client import SessionEndedError
from bench.stratum.simulator.miner import SimulatedMiner
from bench.stratum.simulator.personality import Personality
from bench.stratum.statistics.rate import fixed_window
from bench.stratum.statistics.uniformity import uniformity
from bench.stratum.thread import WorkServer
from bench.stratum.verify import ShareClass

EASY = 2.0**-22  # a share every 1,024 hashes
SLICE = 1 << 16
EVER = (0.0, float("inf"))


@pytest.fixture
def mined(variant):
    """Mine against a new server, so many shares or hashes; return the tally, the server and its sessions."""

    def run(shares=None, personality=None, *, hashes=None, difficulty=EASY, seed=0, **options):
        with WorkServer(ServerOptions(difficulty=difficulty, **options)) as server:
            host, port = server.start("127.0.0.1", 0)
            miner = SimulatedMiner(host, port, personality=personality, variant=variant, slice_nonces=SLICE, seed=seed)
            tally = miner.run(lambda tally: tally.shares >= shares if shares else tally.hashes >= hashes)
            sessions = server.sessions()
        return tally, server, sessions

    return run


def counts(server):
    return {name: count for name, count in server.shares.counts(*EVER).items() if count}


def test_counted_hashes_and_verified_shares_agree(mined):
    covered = uniform = 0
    for seed in range(10):
        tally, server, _ = mined(hashes=1 << 18, seed=seed)
        valid = server.shares.table(*EVER).select(ShareClass.VALID)
        assert (tally.accepted, tally.unanswered) == (tally.shares, 0)
        assert valid.arrival_s.size == tally.shares
        estimate = fixed_window(tally.shares, EASY, tally.elapsed_s)
        covered += estimate.low_h_s <= tally.rate_h_s <= estimate.high_h_s
        uniform += uniformity(valid.hash_frac).uniform
    # work differs in every run: chance alone breaks these limits in one of 1,000 runs and in one of 12,000
    assert covered >= 7
    assert uniform >= 8


def test_a_ticket_mask_of_2_is_noticed_through_the_wire(mined):
    for seed in range(3):
        _, server, _ = mined(200, Personality(ticket_mask=2.0 * EASY), seed=seed)
        seen = uniformity(server.shares.table(*EVER).select(ShareClass.VALID).hash_frac[:200])
        assert not seen.uniform
        assert seen.difficulty_factor == pytest.approx(2.0, rel=0.05)


@pytest.mark.parametrize(
    "personality",
    [
        Personality(version_bits="or"),
        Personality(version_bits="xor"),
        Personality(five_parameters=True),
        Personality(rolls_time=True),
        Personality(crlf=True),
        Personality(slow_s=0.001),
        Personality(late_s=0.05),
    ],
    ids=Personality.words,
)
def test_habits_that_harm_nothing_lose_no_share(personality, mined):
    tally, server, _ = mined(30, personality)
    assert counts(server) == {ShareClass.VALID: tally.shares}
    assert tally.accepted == tally.shares


def test_shares_outside_the_mask_are_not_credited(mined):
    _, server, (session,) = mined(30, Personality(ignores_mask=True))
    assert set(counts(server)) == {ShareClass.MASK_VIOLATION}
    assert session.mask == 0x1FFFE000


def test_a_share_that_comes_twice_counts_once(mined):
    tally, server, _ = mined(60, Personality(duplicates_frac=0.5))
    twice = tally.submitted - tally.shares
    assert twice > 10
    assert counts(server) == {ShareClass.VALID: tally.shares, ShareClass.DUPLICATE: twice}


@pytest.mark.slow
def test_a_miner_that_keeps_the_old_job_sends_stale_shares(mined):
    personality = Personality(stale_s=0.3)
    tally, server, _ = mined(2000, personality, difficulty=2.0**-18, notify_s=0.4, clean_s=0.1)
    stale = counts(server).get(ShareClass.STALE, 0)
    assert stale > 0
    assert stale + counts(server)[ShareClass.VALID] == tally.shares
    assert sum(tally.refused.values()) == stale


def test_a_storm_of_connections_comes_before_the_one_that_mines(mined):
    tally, server, sessions = mined(20, Personality(storm=5))
    assert tally.connections == 6
    assert len(sessions) == 6
    assert counts(server) == {ShareClass.VALID: tally.shares}


def test_a_miner_that_closes_early_ends(mined):
    tally, _, sessions = mined(10_000, Personality(close_after=7))
    assert tally.shares == 7
    assert len(sessions) == 1


def test_a_server_that_is_not_there_is_one_error():
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    with pytest.raises(SessionEndedError, match="no connection to 127"):
        SimulatedMiner("127.0.0.1", port).run()


@pytest.mark.parametrize("answer", [b"", b"<html>\n", b'{"id":1,"result":null,"error":[20,"no",null]}\n', b"[]\n"])
def test_a_server_that_is_none_ends_the_miner(answer, monkeypatch):
    monkeypatch.setattr("bench.stratum.simulator.client.CONNECT_S", 0.2)
    monkeypatch.setattr("bench.stratum.simulator.miner.AGAIN_S", 0.0)
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve():
            for _ in range(5):
                connection, _address = listener.accept()
                with connection:
                    connection.recv(4096)
                    connection.sendall(answer)

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        with pytest.raises(SessionEndedError):
            SimulatedMiner(*listener.getsockname()).run()
        thread.join(5)


def test_difficulty_belongs_to_the_job_that_it_came_with(variant):
    with WorkServer(ServerOptions(difficulty=EASY)) as server:
        host, port = server.start("127.0.0.1", 0)
        changed = threading.Event()

        def done(tally):
            if tally.shares >= 100 and not changed.is_set():
                changed.set()
                server.freeze_difficulty(4.0 * EASY)
            return tally.shares >= 300

        tally = SimulatedMiner(host, port, variant=variant, slice_nonces=SLICE).run(done)
        valid = server.shares.table(*EVER).select(ShareClass.VALID)
    assert set(valid.difficulty) == {EASY, 4.0 * EASY}
    assert counts(server) == {ShareClass.VALID: tally.shares}
    assert hashes_of(valid.difficulty.sum()) == pytest.approx(tally.hashes, rel=0.25)
