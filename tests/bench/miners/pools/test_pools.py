"""A pool is set and the former one comes back, wherever the writes are cut off, over real sockets."""

import json
import time

import pytest
from doubles.miners.axeos import FakeAxeOS, nerd_info
from doubles.miners.carry import carry_out, read_snapshot
from doubles.miners.settable import FakeAntminerPages, FakeLuxOS
from doubles.miners.unit import live

from bench.miners.pools import pools_of
from bench.miners.pools.writes import PoolConflictError, Target, Write
from bench.miners.reply import Reply
from bench.network.errors import ReadFailedError
from hardware_profiles.errors import InputError

TARGET = Target("192.0.2.50", 3333, "perwatt.unit-1")
MAKES = {
    "axeos 2.4": ("axeos", lambda: FakeAxeOS(live(rate_h_s=1e12), "v2.4.1")),
    "axeos 2.12": ("axeos", lambda: FakeAxeOS(live(rate_h_s=1e12), "v2.12.2")),
    "axeos 2.15": ("axeos", lambda: FakeAxeOS(live(rate_h_s=1e12), "v2.15.0")),
    "luxos": ("luxos", lambda: FakeLuxOS(live())),
    "antminer": ("antminer", FakeAntminerPages),
}
EVERY_MAKE = pytest.mark.parametrize("make", MAKES)


class Session:
    """One measurement: the snapshot before it, and the loop of reading and writing."""

    def __init__(self, make):
        family, start = MAKES[make]
        self.pools, self.fake = pools_of(family), start()
        self.before = json.loads(json.dumps(self.read()))  # as a journal keeps it
        self.wrote_s = None
        self.written = []

    def read(self):
        return read_snapshot(self.pools, self.fake.port)

    def carry_out(self, write):
        self.written.append(write)
        self.wrote_s = time.monotonic()
        carry_out(write, self.fake.port)  # what a miner refuses is seen when it is read again

    def loop(self, step, most=12, cut_after=None):
        """Read, write and read again until nothing is left, or until so many writes; returns whether it ended."""
        done = 0
        for _ in range(most):
            since_s = None if self.wrote_s is None else time.monotonic() - self.wrote_s
            writes = step(self.before, self.read(), TARGET, since_s)
            if not writes:
                return True
            for write in writes:
                if done == cut_after:
                    return False
                self.carry_out(write)
                done += 1
        return False


@pytest.fixture
def session():
    made = []

    def make(name):
        made.append(Session(name))
        return made[-1]

    yield make
    for one in made:
        one.fake.close()


def configured(fake):
    """Return all that the machine has stored of its pools, with passwords."""
    if isinstance(fake, FakeAxeOS):
        return fake.stored, sorted(fake.slots.items()), fake.primary, fake.secondary
    return fake.pools if isinstance(fake, FakeLuxOS) else fake.conf


def works_for_us(fake):
    return str(TARGET.port) in str(fake.pool_in_use) and TARGET.host in str(fake.pool_in_use)


@EVERY_MAKE
def test_the_pool_is_set_and_the_former_ones_come_back_with_their_passwords(session, make):
    run = session(make)
    former, in_use = json.dumps(configured(run.fake)), run.fake.pool_in_use
    assert run.loop(run.pools.to_set)
    assert works_for_us(run.fake)
    assert run.loop(run.pools.to_restore)
    assert json.dumps(configured(run.fake)) == former
    assert run.fake.pool_in_use == in_use
    assert not run.pools.to_restore(run.before, run.read(), TARGET, time.monotonic() - run.wrote_s)


@EVERY_MAKE
@pytest.mark.parametrize("phase", ["set", "restore"])
@pytest.mark.parametrize("writes", range(5))
def test_wherever_the_writes_are_cut_off_a_later_restore_brings_the_former_pool_back(session, make, phase, writes):
    run = session(make)
    former, in_use = json.dumps(configured(run.fake)), run.fake.pool_in_use
    ended = run.loop(run.pools.to_set, cut_after=writes if phase == "set" else None)
    if phase == "restore":
        assert ended
        run.loop(run.pools.to_restore, cut_after=writes)
    run.wrote_s = None  # the next process knows only the journal
    assert run.loop(run.pools.to_restore)
    assert json.dumps(configured(run.fake)) == former
    assert run.fake.pool_in_use == in_use


@EVERY_MAKE
def test_a_restore_without_a_change_leaves_all_as_it_is(session, make):
    run = session(make)
    former = json.dumps(configured(run.fake))
    assert run.loop(run.pools.to_restore)
    assert json.dumps(configured(run.fake)) == former
    assert {write.place for write in run.written} <= {"/api/system/restart"}


@EVERY_MAKE
def test_pools_that_somebody_else_changed_meanwhile_are_not_touched(session, make):
    run = session(make)
    assert run.loop(run.pools.to_set)
    fake = run.fake
    if make == "luxos":
        fake.pools = [{"URL": "stratum+tcp://third.example.com:3333", "User": "w", "GROUP": 0}]
    elif make == "antminer":
        fake.conf["pools"] = [{"url": "stratum+tcp://third.example.com:3333", "user": "w", "pass": "x"}]
    elif make == "axeos 2.15":
        fake.slots[5] = {"url": "third.example.com", "port": 3333, "user": "w", "password": "x"}
        fake.primary = 5
        fake.restart()
    else:
        fake.stored[0]["url"] = "third.example.com"
    with pytest.raises(PoolConflictError):
        run.loop(run.pools.to_restore)
    assert "third" in json.dumps(configured(fake))


@EVERY_MAKE
def test_what_is_shown_of_a_write_holds_no_password(session, make):
    run = session(make)
    run.loop(run.pools.to_set)
    run.loop(run.pools.to_restore)
    assert run.written
    assert all(write.says for write in run.written)
    assert "secret" not in repr(run.written)
    if not run.pools.secret:
        assert "secret" not in json.dumps([write.body for write in run.written]) + json.dumps(run.before)


def test_axeos_2_15_takes_the_old_keys_and_ignores_them(session):
    """The reason for the slots: a PATCH of `stratumURL` is answered with success, and nothing changes."""
    run = session("axeos 2.15")
    for write in (
        Write("", "PATCH", "/api/system", {"stratumURL": "192.0.2.50"}),
        Write("", "POST", "/api/system/restart"),
    ):
        carry_out(write, run.fake.port)
    assert run.fake.pool_in_use == ("pool.example.com", 3333, "worker.1")


def test_a_unit_that_uses_all_its_slots_is_left_alone(session):
    run = session("axeos 2.15")
    run.fake.slots = {index: {"url": f"p{index}", "port": 1, "user": "w", "password": "x"} for index in range(8)}
    before = run.read()
    with pytest.raises(InputError, match="all 8 pool slots"):
        run.pools.to_set(before, before, TARGET, None)


def test_encryption_and_the_other_protocol_are_switched_off_and_on_again():
    pools = pools_of("axeos")
    document = {"uptimeSeconds": 100, "stratumURL": "pool.example.com", "stratumPort": 4444, "stratumUser": "w",
                "stratumTLS": 1, "stratumProtocol": "SV2"}  # fmt: skip
    before = pools.snapshot({"info": Reply("info", document=document)})
    patch, restart = pools.to_set(before, before, TARGET, None)
    assert patch.body == {"stratumURL": "192.0.2.50", "stratumPort": 3333, "stratumUser": "perwatt.unit-1",
                          "stratumTLS": 0, "stratumProtocol": "SV1"}  # fmt: skip
    assert restart.restarts
    now = pools.snapshot({"info": Reply("info", document=document | patch.body)})
    assert pools.to_restore(before, now, TARGET, None)[0].body == {key: document[key] for key in patch.body}


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"stratum": {"poolMode": 1}}, "two pools at once"),
        ({"coinbaseVerifyForce": True, "coinbaseVerifyMode": 2}, "coinbase does not pay"),
        ({"otp": True}, "one-time password"),
    ],
)
def test_a_nerdaxe_board_that_would_not_work_for_us_alone_is_refused_before_a_write(changes, words):
    reply = Reply("info", document=nerd_info(live(rate_h_s=5e12), **changes))
    with pytest.raises(InputError, match=words):
        pools_of("axeos").snapshot({"info": reply})


def test_groups_that_share_the_work_are_refused_before_a_write():
    fake = FakeLuxOS(live(), groups=(0, 1))
    try:
        raw = fake.reply_to(b'{"command":"pools"}')
    finally:
        fake.close()
    with pytest.raises(InputError, match="between groups of pools"):
        pools_of("luxos").snapshot({"pools": Reply.of("pools", raw)})


def test_the_configuration_of_an_antminer_is_written_whole_with_mode_and_fans(session):
    run = session("antminer")
    kept = {key: value for key, value in run.fake.conf.items() if key != "pools"}
    run.loop(run.pools.to_set)
    (write,) = run.written
    assert write.body["miner-mode"] == "0"
    assert write.body["freq-level"] == "80"
    assert {key: write.body[key] for key in kept} == kept
    assert [pool["url"] for pool in write.body["pools"]] == ["stratum+tcp://192.0.2.50:3333", "", ""]


def test_an_antminer_that_answers_success_and_changes_nothing_never_counts_as_set(session):
    run = session("antminer")
    run.fake.ignores = True
    assert not run.loop(run.pools.to_set, most=2)
    assert run.pools.to_set(run.before, run.read(), TARGET, 1.0)


def test_a_mode_that_changed_meanwhile_stays_when_the_pools_of_an_antminer_come_back(session):
    run = session("antminer")
    run.loop(run.pools.to_set)
    run.fake.conf["bitmain-work-mode"] = "3"
    run.loop(run.pools.to_restore)
    assert run.fake.conf["bitmain-work-mode"] == "3"


@pytest.mark.parametrize(
    "family", ["whatsminer", "avalon", "braiins", "vnish", "epic", "sealminer", "auradine", "proto"]
)
def test_a_family_whose_pools_are_set_by_hand_says_why(family):
    with pytest.raises(InputError, match=r"enter the pool by hand, because it") as caught:
        pools_of(family)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("host", "port", "user"),
    [("pool,x", 1, "w"), ("", 1, "w"), ("pool", 0, "w"), ("pool", 65536, "w"), ("pool", 1, "a b"), ("pool", 1, "a,b")],
)
def test_a_target_that_a_firmware_could_misread_is_refused(host, port, user):
    with pytest.raises(InputError, match="--set-pool"):
        Target(host, port, user)


def test_a_unit_that_does_not_answer_while_it_restarts_comes_back_with_our_pool():
    started = []
    fake = FakeAxeOS(live(rate_h_s=1e12), "v2.12.2", on_pool=started.append, restart_s=0.2)
    try:
        run = Session.__new__(Session)
        run.pools, run.fake, run.written = pools_of("axeos"), fake, []
        run.before = run.read()
        for write in run.pools.to_set(run.before, run.before, TARGET, None):
            run.carry_out(write)
        with pytest.raises(ReadFailedError, match="not a complete HTTP answer"):
            run.read()
        deadline = time.monotonic() + 5.0
        while len(started) < 2 and time.monotonic() < deadline:
            time.sleep(0.01)
        assert started == [("pool.example.com", 3333, "worker.1"), ("192.0.2.50", 3333, "perwatt.unit-1")]
        assert not run.pools.to_set(run.before, run.read(), TARGET, time.monotonic() - run.wrote_s)
    finally:
        fake.close()
