"""What every lever of a miner does, and what is special to one."""

import pytest
from doubles.miners import descendants
from doubles.miners.server import FakeMiner
from doubles.miners.unit import Unit
from doubles.miners.web import FakeWebMiner
from doubles.set_miners import rest
from doubles.set_miners.avalon import FakeAvalon
from doubles.set_miners.whatsminer import FakeWhatsminer, FakeWhatsminerV3

from bench.levers.protocol import Evidence, Reply
from bench.levers.reasons import WORDS
from bench.levers.registry import open_lever
from sites.control.model import UnitState

# name, device, levels between off and on, setting as found
FAMILIES = {
    "braiins": (rest.FakeBraiins, ["2000W", "2600W"]),
    "vnish": (rest.FakeVNish, ["1500W", "2400W"]),
    "epic": (rest.FakeEpic, []),
    "proto": (rest.FakeProto, []),
    "axeos": (rest.FakeAxe, ["400MHz", "475MHz"]),
    "whatsminer": (FakeWhatsminer, ["60%", "80%"]),
    "whatsminer-v3": (FakeWhatsminerV3, ["60%", "80%"]),
    "avalon": (FakeAvalon, ["mode0"]),
}
BY_PASSWORD = sorted(FAMILIES.keys() - {"axeos", "avalon"})


@pytest.fixture
def start(handle, monkeypatch):
    """Return a function that starts a device of a family and its lever."""

    def start(family, *, password="correct horse", **settings):
        fake = FAMILIES[family][0](**settings)
        options = {}
        if password is not None:
            monkeypatch.setenv("MINER_PASSWORD", password)
            options["password_env"] = "MINER_PASSWORD"
        return handle(open_lever(family, f"127.0.0.1:{fake.port}", options), fake)

    return start


@pytest.mark.parametrize("family", FAMILIES)
def test_it_goes_off_on_and_to_each_level_and_comes_back(start, round_trip, family):
    device = start(family)
    assert round_trip(device, FAMILIES[family][1])["works"] is True
    assert device.lever.levels[0].name == "off"


@pytest.mark.parametrize("family", FAMILIES)
def test_what_was_off_stays_off_and_nothing_is_sent_twice(start, family):
    device = start(family)
    device.fake.unit.pause()
    before = device.as_found()
    assert before["works"] is False
    device.to("on")
    assert device.shows("on") is Evidence.CONFIRMED
    assert device.restore(before).reply is Reply.ACCEPTED
    assert device.shows("off") is Evidence.CONFIRMED
    assert device.as_found() == before
    sent = list(device.fake.written)
    assert device.restore(before).reply is Reply.ACCEPTED
    assert device.fake.written == sent


@pytest.mark.parametrize("family", FAMILIES)
def test_an_acknowledged_command_without_effect_is_never_confirmed(start, family):
    device = start(family, lies=["no_effect"])
    device.look()
    device.as_found()
    assert device.to("off").reply is Reply.ACCEPTED
    assert device.shows("off") is Evidence.CONTRARY


@pytest.mark.parametrize("family", FAMILIES)
def test_a_look_shows_identity_rate_power_and_heat(start, family):
    seen = start(family).look()
    assert seen.identity
    assert seen.rate_per_s > 1e12
    assert seen.power_w > 15.0
    assert 40.0 < seen.hottest_c < 100.0


@pytest.mark.parametrize("family", FAMILIES)
def test_figures_that_stand_still_make_the_state_unknown(start, family):
    device = start(family)
    device.look()
    device.now_s += 60.0  # and no time passes for the device
    seen = device.look_at_once()
    assert (seen.state, seen.reasons) == (UnitState.UNKNOWN, ("frozen",))


@pytest.mark.parametrize("family", BY_PASSWORD)
def test_a_wrong_password_is_refused_and_not_shown(start, family):
    device = start(family, password="tr0ub4dor")
    answer = device.to("off")
    assert answer.reply is Reply.REFUSED
    assert "tr0ub4dor" not in answer.says
    assert not device.fake.unit.paused


@pytest.mark.parametrize("family", BY_PASSWORD)
def test_without_a_password_nothing_is_written(start, family):
    device = start(family, password=None)
    assert device.to("off").says.startswith("login_needed")
    assert not device.fake.unit.paused


@pytest.mark.parametrize("family", sorted({*FAMILIES, "luxos", "antminer"}))
@pytest.mark.parametrize("other", ["sealminer", "page"])
def test_another_firmware_at_the_address_is_no_state_of_this_one(handle, monkeypatch, family, other):
    unit = Unit()
    fake = FakeMiner(descendants.commands(unit, "sealminer")) if other == "sealminer" else FakeWebMiner({"GET /": {}})
    fake.unit = unit
    monkeypatch.setenv("MINER_PASSWORD", "correct horse")
    device = handle(open_lever(family, f"127.0.0.1:{fake.port}", {"password_env": "MINER_PASSWORD"}), fake)
    device.lever.line.exchange_s = 0.3
    seen = device.look()
    assert seen.state is UnitState.UNKNOWN
    assert set(seen.reasons) <= WORDS.keys()
    assert device.as_found() is None
    assert device.to("off").reply is Reply.REFUSED


def test_a_power_target_outside_the_range_of_the_firmware_is_refused(start):
    device = start("braiins")
    device.look()
    assert device.lever.can("1400W") == "unknown_level: expected 1500W to 3500W, got 1400W"
    assert device.lever.can("1777W") is None
    assert len(device.lever.levels) == 9


def test_dynamic_power_scaling_is_off_for_a_target_and_on_again_afterwards(start):
    device = start("braiins", dps=True)
    before = device.as_found()
    device.to("2000W")
    assert device.fake.dps is False
    device.restore(before)
    assert (device.fake.dps, device.fake.target_w, device.as_found()) == (True, 3100, before)


def test_a_mode_that_is_no_power_target_is_put_back_as_it_was(start):
    manual = {"manualmode": {"global_frequency": {"hertz": 5.2e8}, "global_voltage": {"volt": 13.1}}}
    device = start("braiins", mode=manual)
    before = device.as_found()
    device.to("2000W")
    assert device.fake.mode is None
    device.restore(before)
    assert device.fake.mode == manual


def test_a_session_that_the_miner_forgot_is_opened_again(start):
    device = start("braiins")
    device.look()
    device.lever._token = "old"
    assert device.look().state is UnitState.RUNNING


def test_presets_that_are_not_tuned_are_no_levels(start):
    device = start("vnish")
    device.look()
    assert [level.name for level in device.lever.levels] == ["off", "1500W", "2400W", "3000W"]
    assert device.to("2300W").reply is Reply.REFUSED


def test_a_preset_switcher_keeps_its_preset(start):
    device = start("vnish", switcher=True)
    before = device.as_found()
    assert before == {"works": True, "preset": None, "switcher": True}
    assert device.to("1500W").reply is Reply.REFUSED
    assert device.to("off").reply is Reply.ACCEPTED
    assert device.restore(before).reply is Reply.ACCEPTED
    assert [name for name, _ in device.fake.written] == ["stop", "start"]


@pytest.mark.parametrize("family", ["whatsminer", "whatsminer-v3"])
def test_a_miner_that_is_off_before_it_answers_is_silent(start, family):
    device = start(family, lies=["hangs_up"])
    device.look()
    assert device.to("off").reply is Reply.SILENT
    assert device.shows("off") is Evidence.CONFIRMED


def test_a_write_interface_that_is_switched_off_is_said(start):
    device = start("whatsminer", lies=["write_off"])
    assert device.to("off").says.startswith("write_off")


def test_a_share_of_power_that_the_power_does_not_show_is_not_confirmed(start):
    device = start("whatsminer")
    device.look()
    device.as_found()
    device.fake.lies.add("no_effect")
    device.to("60%")
    assert device.shows("60%") is Evidence.UNKNOWN
    assert "power_off_target" in device.look().reasons


def test_a_share_that_a_killed_process_left_is_taken_back(start):
    device = start("whatsminer")
    before = device.as_found()
    device.fake.percent = 60
    device.restore(before)
    assert device.fake.percent == 100


def test_softon_closes_the_connection_and_is_silent_not_refused(start):
    device = start("avalon")
    device.look()
    device.to("off")
    assert device.to("on").reply is Reply.SILENT
    assert device.shows("on") is Evidence.CONFIRMED
    assert [parameter.partition(":")[0] for parameter in device.fake.written] == ["0,softoff,1", "0,softon,1"]


def test_newer_firmware_of_avalon_takes_another_word_for_a_mode(start):
    device = start("avalon", newer=True)
    device.look()
    assert device.to("mode0").reply is Reply.ACCEPTED
    assert device.fake.mode == "0"


def test_an_avalon_is_asked_one_connection_at_a_time(start):
    device = start("avalon")
    device.look_many(8)
    assert device.fake.most_open == 1


def test_clocks_above_the_present_one_are_refused(start):
    device = start("axeos")
    device.look()
    assert [level.name for level in device.lever.levels] == [
        "off", "400MHz", "425MHz", "450MHz", "475MHz", "500MHz", "525MHz",
    ]  # fmt: skip
    assert device.lever.can("550MHz").startswith("unknown_level")


def test_a_version_without_a_pause_has_no_off(start):
    device = start("axeos", version="v2.12.2")
    device.look()
    assert device.lever.can("off").startswith("unknown_level")
    assert device.lever.levels[0].name == "400MHz"
