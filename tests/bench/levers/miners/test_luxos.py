"""The lever of LuxOS."""

import pytest
from doubles.set_miners.luxos import FakeLuxOS

from bench.levers.miners.luxos import make
from bench.levers.protocol import Evidence, Reply
from sites.control.model import UnitState


@pytest.fixture
def luxos(handle):
    """Return a function that starts a machine with LuxOS and its lever."""

    def start(**settings):
        fake = FakeLuxOS(**settings)
        return handle(make(f"127.0.0.1:{fake.port}", {}), fake)

    return start


def test_it_sleeps_wakes_changes_its_profile_and_comes_back(luxos, round_trip):
    device = luxos()
    assert round_trip(device, ["1200W", "2100W"]) == {"works": True, "atm": False, "profile": "400MHz"}
    assert [level.name for level in device.lever.levels] == ["off", "1200W", "2100W", "3000W"]
    assert device.fake.session == "", "the only session of the miner is given back"


def test_firmware_that_answers_one_command_at_a_time_is_read_too(luxos, round_trip):
    round_trip(luxos(lies=["no_joined"]), ["1200W"])


def test_thermal_management_is_switched_off_for_a_profile_and_on_again_by_the_restore(luxos):
    device = luxos(atm=True)
    device.look()
    before = device.as_found()
    assert before == {"works": True, "atm": True, "profile": None}
    assert device.to("1200W").reply is Reply.ACCEPTED
    assert (device.fake.atm, device.fake.profile) == (False, "290MHz")
    assert device.restore(before).reply is Reply.ACCEPTED
    assert (device.fake.atm, device.fake.profile) == (True, "400MHz")
    assert device.as_found() == before


def test_sleep_and_wakeup_leave_thermal_management_alone(luxos):
    device = luxos(atm=True)
    before = device.as_found()
    device.to("off")
    device.restore(before)
    assert device.fake.commands == [("curtail", "sleep"), ("curtail", "wakeup")]


def test_a_miner_that_slept_is_left_asleep_by_the_restore(luxos):
    device = luxos()
    device.fake.unit.pause()
    before = device.as_found()
    assert before["works"] is False
    device.to("on")
    assert device.restore(before).reply is Reply.ACCEPTED
    assert device.fake.unit.paused
    sent = list(device.fake.commands)
    assert device.restore(before).reply is Reply.ACCEPTED
    assert device.fake.commands == sent, "nothing differs, so nothing is sent"


def test_a_session_of_somebody_else_is_left_alone(luxos):
    device = luxos(session="Theirs1")
    answer = device.to("off")
    assert answer.reply is Reply.REFUSED
    assert answer.says.startswith("session_taken")
    assert device.fake.session == "Theirs1"
    assert not device.fake.unit.paused


def test_an_acknowledged_command_without_effect_is_never_confirmed(luxos):
    device = luxos(lies=["no_effect"])
    device.look()
    device.as_found()
    assert device.to("off").reply is Reply.ACCEPTED
    assert device.shows("off") is Evidence.CONTRARY
    device.to("1200W")
    assert device.shows("1200W") is Evidence.CONTRARY


@pytest.mark.parametrize(
    ("lie", "reason"), [("zeroed", "zeroed"), ("tenfold", "implausible_power"), ("nan", "no_rate")]
)
def test_lies_of_telemetry_make_the_state_unknown_with_a_reason(luxos, lie, reason):
    device = luxos()
    device.look()
    device.fake.lies.add(lie)
    seen = device.look()
    assert (seen.state, reason in seen.reasons) == (UnitState.UNKNOWN, True)
    assert device.shows("on") is Evidence.UNKNOWN
    assert device.shows("off") is Evidence.UNKNOWN


def test_figures_that_stand_still_make_the_state_unknown(luxos):
    device = luxos()
    device.look()
    device.fake.unit.freeze()
    device.look()
    device.run(60.0)
    seen = device.look()
    assert (seen.state, seen.reasons) == (UnitState.UNKNOWN, ("frozen",))


def test_a_miner_that_tunes_is_between_two_levels(luxos):
    device = luxos()
    device.fake.unit.tuning_s = 1e9
    assert device.look().state is UnitState.CHANGING
    assert device.shows("on") is Evidence.UNKNOWN


def test_a_look_shows_identity_power_rate_and_heat(luxos):
    seen = luxos().look()
    assert (seen.identity, seen.power_w, seen.power_kind) == ("02:00:00:aa:bb:cc", 3000.0, "estimate")
    assert (seen.rate_per_s, seen.hottest_c) == (pytest.approx(102e12), 56.0)


def test_a_level_that_no_profile_has_is_refused_with_the_levels(luxos):
    device = luxos()
    device.look()
    assert "1200W, 2100W, 3000W" in device.lever.can("2500W")
    assert device.to("2500W").reply is Reply.REFUSED


def test_a_miner_that_is_not_there_is_unknown_and_commands_are_known_not_to_have_been_sent(luxos):
    device = luxos()
    device.fake.close()
    assert (device.look().state, device.lever.confirm("off", device.look(), device.now_s)) == (
        UnitState.UNKNOWN, Evidence.UNKNOWN,
    )  # fmt: skip
    assert device.as_found() is None
    assert device.to("off").reply is Reply.REFUSED


def test_a_machine_with_a_dead_board_works_with_what_it_has(luxos):
    device = luxos()
    device.fake.unit.rate_now_h_s = 66e12
    seen = device.look()
    assert (seen.state, seen.reasons) == (UnitState.RUNNING, ("rate_below_level",))
    assert device.shows("on") is Evidence.CONFIRMED
    device.fake.unit.rate_now_h_s = 30e12  # a second one dies
    assert device.look().state is UnitState.CHANGING


def test_a_profile_that_the_rate_does_not_follow_is_not_confirmed(luxos):
    device = luxos()
    device.look()
    device.as_found()
    device.to("1200W")
    device.fake.unit.rate_now_h_s = 85e12  # on its way down from 100
    assert device.shows("1200W") is Evidence.UNKNOWN
    assert device.look().reasons == ("rate_above_level",)


@pytest.mark.parametrize(
    ("lies", "reason"), [(["says_asleep"], "rate_while_off"), (["says_asleep", "hidden_rate"], "power_while_off")]
)
def test_a_miner_that_says_it_sleeps_and_works_is_not_off(luxos, lies, reason):
    device = luxos(lies=lies)
    seen = device.look()
    assert (seen.state, seen.reasons) == (UnitState.CHANGING, (reason,))
    assert device.shows("off") is Evidence.UNKNOWN
