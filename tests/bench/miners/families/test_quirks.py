"""What is special to one firmware, and what its figures must not be taken for."""

import json
from dataclasses import asdict

import pytest
from doubles.miners import rest
from doubles.miners.axeos import info, nerd_info
from doubles.miners.unit import Unit
from doubles.miners.web import FakeWebMiner

from bench.miners.families import axeos, braiins, epic, proto
from bench.miners.link import CGMINER, WEB, Address
from bench.miners.reader import Miner, MinerError
from bench.miners.reply import Reply
from bench.network.login import Login

SMALL = {"rate_h_s": 1.1e12, "power_w": 17.0, "difficulty": 1024.0}


def parse(module, documents):
    """Return the record of documents as if they had come over a socket."""
    return module.parse({name: Reply.of(name, json.dumps(document).encode()) for name, document in documents.items()})


def key_of(rates, word):
    return next(rate for rate in rates if word in rate.raw_key)


@pytest.mark.parametrize(
    ("version", "basis", "averaging"),
    [("v2.4.1", "nonces", "decay"), ("v2.9.0", "nonces", "decay"), ("v2.12.2", "hash_counters", "instant")],
)
def test_axeos_counts_nonces_before_it_counts_hashes(version, basis, averaging):
    rate = key_of(parse(axeos, {"info": info(Unit(**SMALL), version)}).rates, "info: hashRate")
    assert (rate.basis, rate.averaging) == (basis, averaging)


def test_axeos_keeps_its_means_while_it_does_not_hash():
    unit = Unit(**SMALL)
    unit.pause()
    reading = parse(axeos, {"info": info(unit)})
    assert any("keeps the last value while hashRate is 0" in line for line in reading.warnings)
    assert reading.mode.state == "paused"


def test_a_sensor_that_axeos_does_not_have_is_no_temperature():
    reading = parse(axeos, {"info": info(Unit(**SMALL))})
    assert [one.raw_key for one in reading.temperatures] == ["info: temp", "info: vrTemp"]


def test_axeos_just_started_has_windows_that_are_not_full_and_is_not_settled():
    reading = parse(axeos, {"info": info(Unit(**SMALL, elapsed_s=75.0))})
    assert reading.mode.settled is False
    assert "info: hashRate_10m, hashRate_1h: the window is not full after 75 s" in reading.warnings


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"overheat_mode": 1}, "overheat_mode"),
        ({"power_fault": "VOUT undervoltage"}, "power_fault: VOUT undervoltage"),
        ({"isUsingFallbackStratum": 1}, "fallback pool"),
    ],
)
def test_axeos_says_what_changes_its_figures(changes, words):
    reading = parse(axeos, {"info": info(Unit(**SMALL), "v2.12.2", **changes)})
    assert any(words in line for line in reading.warnings)


def test_the_fallback_pool_is_the_active_one_when_it_is_used():
    reading = parse(axeos, {"info": info(Unit(**SMALL), "v2.12.2", isUsingFallbackStratum=1)})
    assert [(pool.url, pool.active, pool.difficulty) for pool in reading.pools] == [
        ("stratum+tcp://pool.example.com:3333", False, None),
        ("stratum+tcp://backup.example.com:4333", True, 1024.0),
    ]


def test_the_total_of_axeos_is_said_to_be_older_than_the_restart():
    reading = parse(axeos, {"info": info(Unit(**SMALL))})
    assert any("totalHashes: the displayed rate summed over 3007200 s" in line for line in reading.warnings)


@pytest.mark.parametrize(
    ("model", "kind"),
    [("NerdQAxe++", "dc_out"), ("NerdAxe", "dc_out"), ("NerdAxeGamma", "dc_out_plus_const")],
)
def test_the_power_of_a_nerdaxe_board_is_what_flows_into_its_regulator(model, kind):
    reading = parse(axeos, {"info": nerd_info(Unit(5e12, 80.0), model)})
    assert reading.powers[0].kind == kind
    assert (reading.identity.maker, reading.identity.firmware) == ("NerdAxe", "ESP-Miner-NerdQAxePlus")
    assert key_of(reading.rates, "hashRate_1d").window_s == 86400.0
    assert [(fan.speed_rpm, fan.duty_frac) for fan in reading.fans] == [(2710.0, 0.61), (2690.0, 0.6)]


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"stratum": {"activePoolMode": 1}}, "divides its work between two pools"),
        ({"coinbaseVerifyMode": 2, "coinbaseVerifyForce": True}, "refuses a pool whose coinbase"),
    ],
)
def test_a_nerdaxe_board_that_will_not_do_all_work_for_our_pool_says_so(changes, words):
    reading = parse(axeos, {"info": nerd_info(Unit(5e12, 80.0), **changes)})
    assert any(words in line for line in reading.warnings)


def test_numbers_as_text_and_missing_keys_are_read_as_far_as_they_go():
    document = {"ASICModel": "BM1366", "hashRate": "512.5", "stratumURL": "pool.example.com", "power": None, "temp": ""}
    reading = parse(axeos, {"info": document})
    assert reading.rates[0].rate_h_s == 512.5e9
    assert reading.powers == ()
    assert reading.pools[0].url == "stratum+tcp://pool.example.com"


def test_the_total_rate_of_luxos_is_one_boards_and_its_total_is_a_rate(machine):
    reading = machine("luxos").read()
    assert any("is not the sum of its 3 boards" in line for line in reading.warnings)
    assert any("Total MH is a rate" in line for line in reading.warnings)
    assert reading.counters.hashes is None


def test_a_profile_of_luxos_that_contradicts_its_power_is_a_warning(machine):
    reading = machine("luxos", watts_of_profile=3400).read()
    assert any("differ by more than 5 %" in line for line in reading.warnings)
    assert [power.kind for power in reading.powers] == ["estimate", "target"]


def test_the_power_of_luxos_is_unknown_where_the_supply_measures_it_at_an_unknown_side(machine):
    reading = machine("luxos", psu=True).read()
    assert reading.powers[0].kind == "unknown"
    assert any("at its input or at its output" in line for line in reading.warnings)


def test_a_corner_of_a_board_has_the_label_of_the_firmware(machine):
    keys = [reading.raw_key for reading in machine("luxos").read().temperatures]
    assert "temps[0]: TopLeft (Board Exhaust (top))" in keys
    assert not any("TopRight" in key for key in keys), "a sensor that shows 0 is absent"


def test_windows_of_braiins_that_are_not_full_are_flagged_with_what_the_firmware_does():
    reading = parse(braiins, rest.braiins_rest(Unit(elapsed_s=600.0)))
    (line,) = [line for line in reading.warnings if "window is not full" in line]
    keys = ", ".join(f"last_{name}.gigahash_per_second" for name in ("15m", "30m", "1h", "24h"))
    assert line == (
        f"miner/stats.miner_stats.real_hashrate: {keys}: the window is not full after 600 s, and the firmware divides "
        "by its whole length"
    )
    assert key_of(reading.rates, "last_1h").rate_h_s == pytest.approx(100e12 / 6.0)


def test_braiins_wants_a_login_only_for_rest_and_shows_no_password(machine):
    made = machine("braiins_rest")
    assert made.fake.requests == []
    text = json.dumps(asdict(made.read()), ensure_ascii=False)
    assert made.fake.requests[0] == "POST /api/v1/auth/login"
    assert {request.split()[0] for request in made.fake.requests[1:]} == {"GET"}
    assert "token-of-the-session" not in text
    wrong = Miner(Address("127.0.0.1"), made.miner.family, Login("root", "hunter2hunter2"), ports={WEB: made.fake.port},
                  sleep=lambda _: None)  # fmt: skip
    with pytest.raises(MinerError, match="auth/login: the miner does not accept the user and the password") as caught:
        wrong.poll()
    assert "hunter2" not in str(caught.value)


def test_braiins_without_a_login_is_asked_on_4028_only(machine):
    made = machine("braiins")
    made.read()
    commands = [json.loads(request)["command"] for request in made.fake.requests]
    assert commands == ["version", "summary", "devs", "devdetails", "tunerstatus", "pools", "temps", "fans"]


def test_braiins_of_before_rest_is_read_on_4028_although_a_login_is_stated(machine):
    made = machine("braiins")
    web = FakeWebMiner({})
    try:
        ports = {CGMINER: made.fake.port, WEB: web.port}
        login = Login("root", "hunter2hunter2")
        reading = (
            Miner(Address("127.0.0.1"), made.miner.family, login, ports=ports, sleep=lambda _: None).poll().reading
        )
    finally:
        web.close()
    assert reading.rates
    assert any("HTTP status 404, as before version 25.07" in line for line in reading.warnings)
    assert "hunter2" not in json.dumps(asdict(reading))


@pytest.mark.parametrize(("metering", "kind"), [(True, "ac_in_psu"), (False, "estimate"), (None, "unknown")])
def test_the_power_of_vnish_is_what_its_supply_can_do(machine, metering, kind):
    assert machine("vnish", metering=metering).read().powers[0].kind == kind


def test_vnish_states_its_fee_and_which_pool_is_the_makers(machine):
    reading = machine("vnish", fee=2.4).read()
    assert reading.fee_frac == pytest.approx(0.024)
    assert [pool.kind for pool in reading.pools] == ["user", "fee"]


def test_vnish_without_a_share_of_its_fee_is_a_warning(machine):
    reading = machine("vnish", fee=None).read()
    assert reading.fee_frac is None
    assert any("no devfee_percent" in line for line in reading.warnings)


@pytest.mark.parametrize(
    ("current_a", "true_power", "kind"),
    [(0.0, None, "estimate"), (0.0, True, "estimate"), (12.5, True, "ac_in_psu"), (12.5, None, "ac_in_psu"),
     (12.5, False, "unknown"), (4.0, True, "unknown")],
)  # fmt: skip
def test_the_input_power_of_epic_is_measured_only_with_an_input_current(current_a, true_power, kind):
    documents = rest.epic(Unit(), current_a=current_a, true_power=true_power)
    assert parse(epic, documents).powers[0].kind == kind


def test_an_input_voltage_alone_measures_no_power_of_epic():
    documents = rest.epic(Unit())
    documents["summary"]["Power Supply Stats"]["Input Voltage"] = 240.0
    assert parse(epic, documents).powers[0].kind == "estimate"


@pytest.mark.parametrize(("optimized", "settled"), [(True, True), (False, None)])
def test_a_perpetual_tuner_of_epic_that_is_not_done_leaves_open_whether_the_machine_is_settled(optimized, settled):
    documents = rest.epic(Unit())
    documents["summary"]["PerpetualTune"]["Algorithm"]["VoltageOptimizer"]["Optimized"] = optimized
    assert parse(epic, documents).mode.settled is settled


def test_epic_names_boards_that_are_off_and_a_pool_that_is_lost():
    unit = Unit()
    unit.pause()
    lines = parse(epic, rest.epic(unit)).warnings
    assert "summary: HBStatus: board 0 is present and switched off" in lines
    assert any("idles without one" in line for line in lines)


def test_a_sealminer_shows_a_noisy_5_s_rate_and_two_ways_to_count(machine):
    reading = machine("sealminer", Unit(elapsed_s=2400.0)).read()
    assert any("MHS 5s" in line and "times the nominal" in line for line in reading.warnings)
    assert any("two averages since the restart" in line for line in reading.warnings)
    assert any("MHS(1h), MHS(2h)" in line and "whole length" in line for line in reading.warnings)
    assert [board.chips for board in reading.boards] == [153, 152, 151]


def test_a_sealminer_is_settled_after_its_fine_tuning_and_not_when_the_frequency_is_up(machine):
    made = machine("sealminer")
    document = made.fake.replies["stats"]()
    document["STATS"][0] |= {"Raise Freq Done": True, "Tune Status": "Fine Tuning"}
    made.fake.replies["stats"] = document
    assert made.read().mode.settled is False


def test_the_supplies_of_a_proto_rig_count_together_and_contradict_its_power():
    reading = parse(proto, rest.proto(Unit()))
    by_key = {power.raw_key: power for power in reading.powers}
    assert by_key["telemetry: psus[*].power.input"].power_w == pytest.approx(3000.0)
    lying = parse(proto, rest.proto(Unit(), input_factor=1.08))
    assert lying.powers[0].kind == "unknown"
    assert any("at the input of its supplies" in line for line in lying.warnings)


def test_a_command_that_a_firmware_lacks_costs_no_other_figure(machine):
    made = machine("luxos")
    for name in ("power", "temps", "profiles"):
        del made.fake.replies[name]
    reading = made.read()
    assert reading.powers == ()
    assert reading.rates
    assert sum("not read: Invalid command" in line for line in reading.warnings) == 3


def test_port_4028_of_epic_is_a_web_server():
    assert epic.FAMILY.port == CGMINER


def test_the_gap_of_a_luxos_capture_is_a_warning(machine):
    """Its shares imply 7.5 % less than it shows, at 1,483 shares: 2.9 deviations."""
    unit = Unit(56.92e12, 1051.0, elapsed_s=3453.0, difficulty=28539.0)
    unit.rate_now_h_s = 52.65e12
    unit.lie(56.92 / 52.65)
    (line,) = [line for line in machine("luxos", unit).read().warnings if "accepted difficulty implies" in line]
    assert "-7.5%" in line
    assert "summary: GHS av" in line
