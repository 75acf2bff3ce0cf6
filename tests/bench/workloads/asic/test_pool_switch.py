"""A pool that is set comes back in every ending: normal, error, signals, a kill at any moment, a miner that lies."""

import json
import os
import signal
import stat
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner
from doubles.miners.axeos import FakeAxeOS
from doubles.miners.settable import FakeLuxOS
from doubles.miners.unit import live

from bench.cli import perwatt
from bench.errors import RunFailedError
from bench.miners.families import load
from bench.miners.link import parse_address
from bench.miners.pools.writes import Target
from bench.miners.reader import Miner
from bench.workloads.asic import pool_switch
from bench.workloads.asic.journal import Journal
from hardware_profiles.errors import InputError

TARGET = Target("127.0.0.1", 3333, "perwatt.asic")
ROOT = Path(__file__).resolve().parents[4]
KILLED = ROOT / "tests" / "doubles" / "pools" / "killed.py"
ENDED = ROOT / "tests" / "doubles" / "pools" / "ended.py"
MOMENTS = 40


@pytest.fixture(autouse=True)
def short_waits(monkeypatch):
    monkeypatch.setattr(pool_switch, "LOOK_S", 0.02)


@pytest.fixture
def axeos():
    made = []

    def make(version="v2.15.0", **changes):
        made.append(FakeAxeOS(live(rate_h_s=1e12), version, **changes))
        return made[-1]

    yield make
    for fake in made:
        fake.close()


def miner_of(fake, family="axeos"):
    return Miner(parse_address(f"127.0.0.1:{fake.port}", "HOST"), load(family)._replace(poll_s=0.0))


def configured(fake):
    return json.dumps([fake.stored, sorted(fake.slots.items()), fake.primary, fake.secondary, fake.pool_in_use])


def ours(fake):
    return fake.pool_in_use == ("127.0.0.1", 3333, "perwatt.asic")


def journal_of(fake):
    return Journal(f"127.0.0.1:{fake.port}")


def test_nobody_reads_the_miner_during_a_write(axeos, monkeypatch):
    fake, held = axeos(), []
    miner, patch = miner_of(fake), fake.patch

    def watched(body):
        held.append(miner.lock.locked())
        return patch(body)

    monkeypatch.setitem(fake.routes, "PATCH /api/system", watched)
    with pool_switch.pool_set(miner, TARGET, lambda _: None):
        pass
    assert held
    assert all(held)


@pytest.mark.parametrize("version", ["v2.4.1", "v2.12.2", "v2.15.0"])
@pytest.mark.parametrize("restart_s", [0.0, 0.3])
def test_the_miner_works_for_us_within_and_for_its_former_pool_after(axeos, version, restart_s):
    fake = axeos(version, restart_s=restart_s)
    former, said = configured(fake), []
    with pool_switch.pool_set(miner_of(fake), TARGET, said.append):
        assert ours(fake)
        assert journal_of(fake).path.exists()
    assert configured(fake) == former
    assert not journal_of(fake).path.exists()
    assert said[-1] == "set-pool   the former pool is back"


def test_luxos_is_set_and_brought_back():
    fake = FakeLuxOS(live())
    former = json.dumps(fake.pools)
    with pool_switch.pool_set(miner_of(fake, "luxos"), TARGET, lambda _: None):
        assert "127.0.0.1:3333" in str(fake.pool_in_use)
    assert json.dumps(fake.pools) == former
    fake.close()


@pytest.mark.parametrize("error", [RuntimeError("meter"), KeyboardInterrupt(), SystemExit(1)])
def test_every_error_of_the_body_brings_the_former_pool_back(axeos, error):
    fake = axeos()
    former = configured(fake)
    with pytest.raises(type(error)), pool_switch.pool_set(miner_of(fake), TARGET, lambda _: None):
        raise error
    assert configured(fake) == former


def test_output_that_nobody_reads_does_not_keep_the_former_pool_away(axeos):
    fake = axeos()
    former = configured(fake)

    def closed(_line):
        raise BrokenPipeError(32, "Broken pipe")

    with pool_switch.pool_set(miner_of(fake), TARGET, closed):
        assert ours(fake)
    assert configured(fake) == former


def ended(fake, number, *again):
    """Return how a process ended that set the pool and sent itself a signal; this one would end with it."""
    environment = {**os.environ, "PYTHONPATH": f"{ROOT}{os.pathsep}{ROOT / 'tests'}"}
    command = [sys.executable, ENDED, f"127.0.0.1:{fake.port}", str(int(number)), *again]
    done = subprocess.run(command, env=environment, cwd=ROOT, capture_output=True, text=True, timeout=600, check=False)
    return done.returncode, done.stderr


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_every_signal_that_ends_brings_the_former_pool_back(axeos, number):
    fake = axeos()
    former = configured(fake)
    assert ended(fake, number) == (0, "")
    assert configured(fake) == former


def test_a_second_signal_does_not_cut_the_restore(axeos):
    fake = axeos(restart_s=0.3)
    former = configured(fake)
    assert ended(fake, signal.SIGTERM, "again") == (0, "")
    assert configured(fake) == former


@pytest.fixture
def killer(axeos):
    """Set and restore the pool of a unit in a child process, which is killed at the line that is asked for."""
    fake = axeos()
    environment = {**os.environ, "PYTHONPATH": f"{ROOT}{os.pathsep}{ROOT / 'tests'}"}
    with subprocess.Popen(
        [sys.executable, str(KILLED), f"127.0.0.1:{fake.port}"], env=environment, cwd=ROOT, text=True,
        stdin=subprocess.PIPE, stdout=subprocess.PIPE,
    ) as process:  # fmt: skip

        def kill_at(line):
            process.stdin.write(f"{line}\n")
            process.stdin.flush()
            return int(process.stdout.readline())

        yield fake, kill_at
        process.stdin.close()


def test_a_kill_at_40_moments_leaves_the_pool_or_a_journal_that_restores_it(killer):
    fake, kill_at = killer
    former, lines = configured(fake), kill_at(0)
    assert configured(fake) == former
    assert lines > 500
    journals = killed = left_on_our_pool = 0
    for moment in range(MOMENTS):
        killed += kill_at(1 + moment * lines // MOMENTS) == -signal.SIGKILL
        left_on_our_pool += ours(fake)
        if journal_of(fake).path.exists():
            journals += 1
            entry = journal_of(fake).read()
            pool_switch.restore(miner_of(fake), entry, journal_of(fake), lambda _: None)
        assert configured(fake) == former, f"moment {moment}"
        assert not journal_of(fake).path.exists()
    assert killed >= MOMENTS - 2  # the number of lines varies a little with the time that an answer takes
    assert journals > MOMENTS / 2
    assert left_on_our_pool > 0


def test_the_journal_is_there_before_the_first_write_is_private_and_has_no_password(axeos):
    fake = axeos("v2.12.2")
    journal, seen = journal_of(fake), []
    patch = fake.patch

    def watched(body):
        seen.append((stat.S_IMODE(journal.path.stat().st_mode), stat.S_IMODE(journal.path.parent.stat().st_mode),
                     journal.path.read_text()))  # fmt: skip
        return patch(body)

    fake.routes["PATCH /api/system"] = watched
    with pool_switch.pool_set(miner_of(fake), TARGET, lambda _: None):
        pass
    mode, folder_mode, text = seen[0]
    assert (mode & 0o200, folder_mode) == (0o200, 0o700)
    assert "pool.example.com" in text
    assert "secret" not in text


def test_a_miner_that_answers_and_changes_nothing_is_left_to_the_user_after_one_write(axeos, monkeypatch):
    fake = axeos("v2.12.2")
    fake.ignore_patch = True
    monkeypatch.setattr(pool_switch, "RESTART_S", 0.2)
    with pytest.raises(RunFailedError, match="the miner took the write and shows no change"), pool_switch.pool_set(
        miner_of(fake), TARGET, lambda _: None
    ):  # fmt: skip
        raise AssertionError("the body must not run")
    assert fake.requests.count("PATCH /api/system") == 1


def test_a_miner_that_refuses_is_one_line_and_nothing_is_left(axeos):
    fake = axeos()
    fake.fail_patch = True
    former = configured(fake)
    with pytest.raises(RunFailedError) as raised, pool_switch.pool_set(miner_of(fake), TARGET, lambda _: None):
        raise AssertionError("the body must not run")
    assert "HTTP status 400" in str(raised.value)
    assert configured(fake) == former


def test_a_pool_that_somebody_else_set_meanwhile_is_not_overwritten(axeos):
    fake = axeos("v2.12.2")
    with (
        pytest.raises(RunFailedError, match=r"the former pool of .* is not back: .*neither the former one nor ours"),
        pool_switch.pool_set(miner_of(fake), TARGET, lambda _: None),
    ):
        fake.stored[0] = {"url": "third.example.com", "port": 1, "user": "u", "password": "p"}
    assert fake.stored[0]["url"] == "third.example.com"
    assert journal_of(fake).path.exists()


def test_a_second_run_with_a_journal_is_refused_and_restore_brings_the_pool_back(axeos, monkeypatch):
    fake = axeos("v2.12.2")
    former = configured(fake)
    with monkeypatch.context() as killed:
        killed.setattr(pool_switch, "restore", lambda *_: None)
        with pool_switch.pool_set(miner_of(fake), TARGET, lambda _: None):
            pass
    assert ours(fake)
    with pytest.raises(InputError, match="first run `perwatt miner restore"), pool_switch.pool_set(
        miner_of(fake), TARGET, lambda _: None
    ):  # fmt: skip
        raise AssertionError("the body must not run")
    monkeypatch.setattr("bench.miners.families.axeos.FAMILY", load("axeos")._replace(poll_s=0.0))
    result = CliRunner().invoke(perwatt, ["miner", "restore", f"127.0.0.1:{fake.port}"], standalone_mode=False)
    assert result.exception is None, result.exception
    assert "the former pool is back" in result.output
    assert configured(fake) == former


def test_without_a_journal_restore_says_so_and_writes_nothing(axeos):
    fake = axeos()
    result = CliRunner().invoke(perwatt, ["miner", "restore", f"127.0.0.1:{fake.port}"], standalone_mode=False)
    assert "no pool of 127.0.0.1" in str(result.exception)
    assert not [request for request in fake.requests if not request.startswith("GET")]


@pytest.mark.parametrize("family", ["antminer", "whatsminer", "avalon", "braiins", "vnish"])
def test_families_whose_pool_is_set_by_hand_say_why(family):
    with pytest.raises(InputError, match=r"^--set-pool: expected .*by hand"):
        pool_switch.check_family(family)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--set-pool", "--listen", "127.0.0.1:0"], "--set-pool: expected --miner HOST with it"),
        (["--set-pool", "--miner", "127.0.0.1", "--listen", "0.0.0.0:3333"], "--listen: expected the one address"),
    ],
)
def test_a_pool_that_cannot_be_set_is_refused_before_anything_is_read(options, message):
    result = CliRunner().invoke(perwatt, ["run", "asic", "--nominal", "1 TH/s", *options], standalone_mode=False)
    assert message in str(result.exception)
