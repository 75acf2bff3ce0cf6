"""The lever of a stock Antminer."""

import pytest
from doubles.set_miners.antminer import PASSWORD, USER, FakeAntminer

from bench.levers.miners.antminer import make, whole_conf
from bench.levers.miners.device.line import RefusedError
from bench.levers.protocol import Evidence
from bench.levers.protocol import Reply as Answered
from bench.miners.reply import Reply
from sites.control.model import UnitState


@pytest.fixture
def antminer(handle, monkeypatch):
    """Return a function that starts a stock Antminer and its lever."""

    def start(*, password=PASSWORD, **settings):
        fake = FakeAntminer(**settings)
        options = {"web_port": str(fake.port)}
        if password is not None:
            monkeypatch.setenv("MINER_PASSWORD", password)
            options |= {"user": USER, "password_env": "MINER_PASSWORD"}
        return handle(make(f"127.0.0.1:{fake.rpc.port}", options), fake)

    return start


@pytest.mark.parametrize("kind", ["s21", "s19"])
@pytest.mark.parametrize("mode_key", ["bitmain-work-mode", "miner-mode"])
def test_it_sleeps_wakes_changes_its_mode_and_comes_back(antminer, round_trip, kind, mode_key):
    device = antminer(kind=kind, mode_key=mode_key)
    assert round_trip(device, ["low"]) == {"works": True, "mode": "0"}
    assert device.lever.writes_flash


def test_every_write_is_the_whole_configuration_with_another_mode(antminer):
    device = antminer()
    before = device.fake.conf
    device.to("off")
    (written,) = device.fake.written
    assert written == before | {"miner-mode": "1", "bitmain-work-mode": "1", "freq-level": "100"}
    assert device.fake.conf == before | {"bitmain-work-mode": "1"}


def test_a_mode_that_is_a_number_is_written_as_a_number(antminer):
    device = antminer(mode_key="miner-mode", mode=0)
    device.to("off")
    assert device.fake.written[0]["miner-mode"] == 1


def test_nothing_is_written_unless_the_configuration_was_read_completely(antminer):
    device = antminer(lies=["partial"])
    assert device.as_found() is None
    answer = device.to("off")
    assert (answer.reply, answer.says.partition(":")[0]) == (Answered.REFUSED, "config_incomplete")
    assert device.fake.written == []


def test_a_write_that_is_answered_late_is_silent_and_not_a_failure(antminer):
    device = antminer(lies=["late"])
    assert device.to("off", deadline_s=0.5).reply is Answered.SILENT
    assert len(device.fake.written) == 1
    assert device.shows("off") is Evidence.CONFIRMED


def test_success_without_effect_is_never_confirmed(antminer):
    device = antminer(lies=["no_effect"])
    device.look()
    assert device.to("off").reply is Answered.ACCEPTED
    assert device.shows("off") is Evidence.CONTRARY


def test_pools_that_a_write_lost_are_seen(antminer):
    device = antminer(lies=["wipes"])
    device.to("off")
    seen = device.look()
    assert (seen.state, seen.reasons) == (UnitState.UNKNOWN, ("pools_changed",))


def test_a_miner_that_slept_is_left_asleep_by_the_restore(antminer):
    device = antminer(mode="1")
    before = device.as_found()
    assert before == {"works": False, "mode": "1"}
    device.to("on")
    assert device.shows("on") is Evidence.CONFIRMED
    device.restore(before)
    assert device.fake.mode == "1"
    assert device.as_found() == before


def test_a_restore_of_what_is_there_writes_nothing(antminer):
    device = antminer()
    assert device.restore(device.as_found()).reply is Answered.ACCEPTED
    assert device.fake.written == []


def test_a_refused_password_is_sent_once_and_said(antminer):
    device = antminer(password="wrong")
    answer = device.to("off")
    assert (answer.reply, answer.says.partition(":")[0]) == (Answered.REFUSED, "login_refused")
    assert device.fake.logins == 1
    assert "wrong" not in answer.says


def test_without_a_login_it_is_looked_at_and_never_set(antminer):
    device = antminer(password=None)
    assert device.look().state is UnitState.RUNNING
    assert device.as_found() is None
    assert device.to("off").says.startswith("login_needed")
    assert device.fake.written == []


def test_empty_lists_without_the_sleep_mode_are_a_start_and_not_sleep(antminer, monkeypatch):
    device = antminer()
    device.look()
    monkeypatch.setattr(device.fake, "rpc_reply", None)
    device.fake.rpc.replies["stats new_api"] = {"STATUS": [], "STATS": []}
    assert device.look().state is UnitState.CHANGING
    assert device.shows("off") is Evidence.UNKNOWN


def test_the_identity_is_the_hardware_address(antminer):
    assert antminer().look().identity == "02:00:00:12:34:56"


@pytest.mark.parametrize("part", ["url", "user", "pass"])
def test_a_configuration_with_a_pool_that_lacks_a_key_is_not_written(antminer, part):
    device = antminer()
    del device.fake.conf["pools"][1][part]
    assert device.as_found() is None
    assert device.to("off").says.startswith("config_incomplete")
    assert device.fake.written == []


def test_a_configuration_whose_json_was_repaired_is_not_written():
    whole = b'{"pools":[{"url":"a","user":"b","pass":"c"}],"bitmain-work-mode":"0"}'
    assert whole_conf(Reply.of("conf", whole))["bitmain-work-mode"] == "0"
    with pytest.raises(RefusedError):
        whole_conf(Reply.of("conf", whole[:-1] + b',"bitmain-fan-pwm":"1'))
