"""The journal of a pool that was set: a hostile folder, and content that was edited."""

import os
import stat

import pytest
from doubles.miners.axeos import FakeAxeOS
from doubles.miners.unit import live

from bench.errors import RunFailedError
from bench.miners.families import load
from bench.miners.link import parse_address
from bench.miners.pools.writes import Target
from bench.miners.reader import Miner
from bench.workloads.asic.journal import Entry, Journal
from bench.workloads.asic.pool_switch import pool_set, restore
from hardware_profiles.errors import InputError

TARGET = Target("127.0.0.1", 3333, "perwatt.asic")


@pytest.fixture
def fake():
    miner = FakeAxeOS(live(rate_h_s=1e12), "v2.12.2")
    yield miner
    miner.close()


def miner_of(fake):
    return Miner(parse_address(f"127.0.0.1:{fake.port}", "HOST"), load("axeos")._replace(poll_s=0.0))


def written(fake):
    return [request for request in fake.requests if not request.startswith("GET")]


def test_a_journal_in_a_folder_that_another_user_swapped_for_a_link_changes_no_mode(fake, tmp_path):
    journal, victim = Journal(f"127.0.0.1:{fake.port}"), tmp_path / "victim"
    victim.mkdir(mode=0o755)
    journal.path.parent.parent.mkdir(parents=True)
    journal.path.parent.symlink_to(victim)
    with (
        pytest.raises(RunFailedError, match="could not be written: Not a directory"),
        pool_set(miner_of(fake), TARGET, lambda _: None),
    ):
        pass
    assert (stat.S_IMODE(victim.stat().st_mode), list(victim.iterdir())) == (0o755, [])
    assert not written(fake)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can make a folder of another user")
def test_a_journal_is_not_written_to_a_folder_of_another_user(fake):
    folder = Journal(f"127.0.0.1:{fake.port}").path.parent
    folder.mkdir(parents=True, mode=0o755)
    os.chown(folder, 65534, 65534)
    with (
        pytest.raises(InputError, match="expected a folder of your own"),
        pool_set(miner_of(fake), TARGET, lambda _: None),
    ):
        pass
    assert stat.S_IMODE(folder.stat().st_mode) == 0o755
    assert not written(fake)


@pytest.mark.parametrize("before", [{}, {"settings": 5, "slots": "x"}])
def test_a_journal_without_a_pool_is_one_line_and_writes_nothing(fake, before):
    journal = Journal(f"127.0.0.1:{fake.port}")
    journal.write(Entry(journal.host, "axeos", TARGET, before))
    with pytest.raises(InputError, match="key before: expected a pool as the miner showed it"):
        restore(miner_of(fake), journal.read(), journal, lambda _: None)
    assert journal.path.exists()
    assert not written(fake)


@pytest.mark.parametrize(
    "content",
    [
        "{}", "[]", "{", '{"schema":"perwatt.pool-journal/1"}', "\0",
        '{"schema":"perwatt.pool-journal/1","before":{},"target":{"host":[],"port":1,"user":"u"}}',
    ],
)  # fmt: skip
def test_a_damaged_journal_is_one_line(content):
    journal = Journal("127.0.0.1:1")
    journal.path.parent.mkdir(parents=True)
    journal.path.write_text(content)
    with pytest.raises(InputError, match=str(journal.path)):
        journal.read()
