"""Avalons: A12, A13, A15, Q, Nano 3 and Nano 3s; which of its three powers is measured, and where."""

import pytest
from doubles.miners import avalon

from bench.miners.families.avalon import FAMILY, bracket_fields


@pytest.fixture
def read(poll):
    return lambda replies, **settings: poll(FAMILY, replies, **settings).reading


def powers(reading):
    return {power.raw_key: (power.power_w, power.kind) for power in reading.powers}


def test_one_capture_supports_three_efficiencies_and_each_is_labelled(read):
    reading = read(avalon.a1246())
    assert powers(reading) == {
        "estats: PS[4]": (3189.0, "dc_out"),
        "estats: PS[6]": (3504.0, "ac_in_psu"),
        "estats: MPO": (3200.0, "target"),
    }
    average = next(rate for rate in reading.rates if rate.raw_key == "estats: GHSavg")
    assert (average.basis, average.averaging) == ("shares", "since_restart")
    efficiencies = [power.power_w / average.rate_h_s * 1e12 for power in reading.powers]
    assert [f"{value:.1f}" for value in efficiencies] == ["40.0", "44.0", "40.2"]
    assert any("inferred" in warning for warning in reading.warnings)


def test_a_model_of_three_boards_gives_the_right_record(read):
    reading = read(avalon.a1246())
    assert (reading.identity.model, reading.identity.firmware_version) == (
        "AvalonMiner 1246-83",
        "21072802_4ec6bb0_211fc46",
    )
    by_key = {rate.raw_key: (rate.rate_h_s, rate.basis) for rate in reading.rates}
    assert by_key["estats: GHSspd"] == (pytest.approx(81.0005e12), "nonces")
    assert by_key["estats: GHSmm"] == (pytest.approx(83.9e12), "nominal")
    assert by_key["summary: MHS av"] == (79.5e12, "nonces")
    assert [board.rate_h_s for board in reading.boards] == pytest.approx([26.9e12, 26.05e12, 26.70663e12])
    assert [(board.chips, board.chips_expected) for board in reading.boards] == [(120, 120), (120, 120), (119, 120)]
    assert [fan.speed_rpm for fan in reading.fans] == [5300, 5310, 5320, 5330, None]
    assert reading.fans[-1].duty_frac == 0.7
    assert {(t.raw_key, t.temperature_c, t.place) for t in reading.temperatures} >= {
        ("estats: Temp", 29.0, "inlet"),
        ("estats: TMax", 78.0, "chip"),
        ("estats: MTmax[2]", 76.0, "chip"),
    }
    assert (reading.mode.name, reading.mode.state, reading.mode.hashing) == ("normal", "In Work", True)
    assert "board 2: 119 of 120 chips answer" in reading.warnings
    assert all(word not in repr(reading) for word in ("0201000011223344", "wallet", "hush", "0200b4a2eb3f"))


def test_the_text_form_gives_the_same_kind_of_record(read):
    reading = read(avalon.a1346())
    assert reading.identity.model == "AvalonMiner 1346-116"
    assert powers(reading)["estats: PS[6]"] == (3320.0, "ac_in_psu")
    assert (reading.mode.name, reading.mode.state) == ("high", "In Work")
    assert reading.counters.accepted_difficulty == 183_500_800.0
    assert reading.pools[0].active is True
    assert "estats: ECHU: error codes 0 512 0" in reading.warnings


def test_a_wall_power_with_a_name_of_its_own_is_the_input_of_the_supply(read):
    assert powers(read(avalon.a1566())) == {
        "estats: PS[4]": (3520.0, "dc_out"),
        "estats: PS[6]": (3730.0, "ac_in_psu"),
        "estats: WALLPOWER": (3730.0, "ac_in_psu"),
        "estats: MPO": (3700.0, "target"),
    }


def test_an_idle_avalon_q_shows_stale_rates_and_the_power_that_it_still_takes(read):
    reading = read(avalon.q_idle())
    assert powers(reading)["stats: PS[6]"] == (146.0, "ac_in_psu")
    assert (reading.mode.state, reading.mode.hashing, reading.mode.name) == ("In Idle", False, "work mode 0")
    assert reading.boards[0].chips == 160
    stale = next(warning for warning in reading.warnings if warning.startswith("stale average"))
    assert "stats: GHSavg 44.5 TH/s" in stale
    assert "summary: MHS av 44.54 TH/s" in stale


def test_the_first_nano_3_has_another_order_of_its_supply(read):
    reading = read(avalon.nano3())
    assert powers(reading) == {"estats: PS[5]": (89.0, "dc_out"), "estats: MPO": (140.0, "target")}
    assert "estats: the reply is not valid JSON and was repaired: nan or inf" in reading.warnings


def test_for_the_nano_3s_the_input_is_documented(read):
    reading = read(avalon.nano3(model="Nano3s", ps="0 0 27470 4 126 3660 138"))
    assert powers(reading)["estats: PS[6]"] == (138.0, "ac_in_psu")
    assert not any("inferred" in warning for warning in reading.warnings)


def test_an_output_above_the_input_is_believed_in_neither_place(read):
    reading = read(avalon.a1246(ps="0 1214 1316 242 3600 1320 3504"))
    assert {kind for _, kind in powers(reading).values()} == {"unknown", "target"}
    assert any("contradict each other" in warning for warning in reading.warnings)


def test_fields_with_spaces_commas_and_nothing_are_read():
    text = "'STATS':{Ver[Q-1] SSID[] SYSTEMSTATU[Work: In Work, Hash Board: 3 ] Nonce Mask[25] A[-1 2]}"
    assert bracket_fields(text) == {
        "Ver": "Q-1",
        "SSID": "",
        "SYSTEMSTATU": "Work: In Work, Hash Board: 3",
        "Nonce Mask": "25",
        "A": "-1 2",
    }
