"""Whatsminers with API 1.4, 2.0.5 and 3.0.2: where a power is measured is stated only where it is known."""

import pytest
from doubles.miners import whatsminer

from bench.miners.families.whatsminer import FAMILY
from bench.miners.families.whatsminer_v3 import FAMILY as FAMILY_3


@pytest.fixture
def read(poll):
    return lambda replies, **settings: poll(FAMILY, replies, **settings).reading


def powers(reading):
    return [(power.raw_key, power.power_w, power.kind) for power in reading.powers]


def test_api_1_gives_the_right_record(read):
    reading = read(whatsminer.v1())
    identity = reading.identity
    assert (identity.model, identity.firmware_version, identity.api_version) == ("M21S_V20", "20210322.22.REL", "1.4.0")
    assert {rate.raw_key.removeprefix("summary: "): rate.rate_h_s for rate in reading.rates} == {
        "MHS 5s": pytest.approx(70.35e12),
        "MHS 1m": pytest.approx(66.665e12),
        "MHS 5m": pytest.approx(66.33e12),
        "MHS 15m": 67e12,
        "HS RT": pytest.approx(66.33e12),
        "MHS av": 67e12,
    }
    assert powers(reading) == [
        ("summary: Power", 3400.0, "unknown"),
        ("summary: Power_RT", 3410.0, "unknown"),
        ("summary: Power Limit", 3500.0, "target"),
    ]
    assert (reading.mode.name, reading.mode.settled, reading.mode.state) == ("Normal", True, "stable after 1538 s")
    assert (reading.mode.target_power_w, reading.mode.target_rate_h_s) == (3500.0, 65e12)
    assert [(board.name, board.chips) for board in reading.boards] == [(f"slot {i}", 105) for i in range(3)]
    assert reading.nominal_rate_h_s == 68e12
    assert reading.pools[1].url == "stratum+tcp://(local address):3333"
    assert reading.warnings == ("error code 110", "error code 600")
    assert "02:00" not in repr(reading)


def test_api_2_has_the_input_power_of_the_supply_if_its_volts_and_amperes_agree(read):
    reading = read(whatsminer.v2())
    assert powers(reading) == [
        ("summary: Power", 3200.0, "unknown"),
        ("summary: Power Limit", 3300.0, "target"),
        ("get_psu: pin", 3210.0, "ac_in_psu"),
    ]
    assert (reading.mode.name, reading.mode.target_power_w) == ("Low", 3300.0)
    assert reading.counters.accepted_difficulty is None
    assert reading.warnings == (
        "error code 218 since 2024-06-15 10:30:00",
        "get_error_code: the reply is not valid JSON and was repaired: list written as a table",
    )


def test_a_power_that_equals_the_input_of_the_supply_is_that_input(read):
    assert powers(read(whatsminer.v2(power=3210)))[0] == ("summary: Power", 3210.0, "ac_in_psu")


@pytest.mark.parametrize(
    ("vin", "iin", "kind"),
    [
        ("23000", "14000", "ac_in_psu"),  # 230.00 V
        ("2300", "14000", "ac_in_psu"),  # 230.0 V
        ("230", "14000", "ac_in_psu"),
        ("39600", "4700", "ac_in_psu"),  # 396.00 V between three phases
        ("23000", "9000", "unknown"),
        ("7", "14000", "unknown"),
    ],
)
def test_the_volts_of_a_supply_are_read_in_every_unit_that_supplies_use(read, vin, iin, kind):
    reading = read(whatsminer.v2(supply={**whatsminer.SUPPLY, "vin": vin, "iin": iin}))
    assert powers(reading)[-1] == ("get_psu: pin", 3210.0, kind)
    assert any("does not agree" in warning for warning in reading.warnings) == (kind == "unknown")


def test_minus_one_is_no_power_and_a_missing_voltage_is_said(read):
    supply = {key: value for key, value in whatsminer.SUPPLY.items() if key != "vin"}
    reading = read(whatsminer.v2(supply=supply, power=-1))
    assert powers(reading) == [("summary: Power Limit", 3300.0, "target"), ("get_psu: pin", 3210.0, "ac_in_psu")]
    assert "get_psu: pin: not checked, because vin or iin is missing" in reading.warnings


def test_a_miner_that_is_switched_off_says_so(read):
    reading = read(whatsminer.v2(off="true"))
    assert (reading.mode.name, reading.mode.hashing) == ("off", False)
    assert any(warning.startswith("stale average: summary: MHS av") for warning in reading.warnings)


def test_api_3_is_read_in_frames_and_in_terahashes(poll):
    reading = poll(FAMILY_3, whatsminer.v3(), framed=True).reading
    assert (reading.identity.model, reading.identity.api_version) == ("M60S_VK40", "3.0.2")
    assert {rate.raw_key: rate.rate_h_s for rate in reading.rates} == {
        "summary: hash-realtime": 171e12,
        "summary: hash-1min": 171.2e12,
        "summary: hash-15min": 170.5e12,
        "summary: hash-average": 170.8e12,
    }
    assert powers(reading) == [
        ("summary: power-realtime", 3156.0, "unknown"),
        ("summary: power-5min", 3100.0, "unknown"),
        ("summary: power-limit", 3600.0, "target"),
    ]
    assert (reading.mode.settled, reading.mode.state, reading.mode.hashing) == (True, "frequency raised", True)
    assert reading.counters.accepted is None
    assert [pool.url for pool in reading.pools] == ["stratum+tcp://pool.example.com:3333"]
    assert reading.warnings == ("error code 270 since 2026-05-23 09:19:11: Power input over-voltage warning.",)
    assert all(word not in repr(reading) for word in ("wallet", "abcdefgh", "10.0.0.9", "BTM3000000", "02:01"))


def test_api_3_with_a_supply_that_measures_its_input(poll):
    replies = whatsminer.v3(raised=0)
    replies["get.device.info"]["msg"]["power"] |= {"pin": "3300", "vin": "23100", "iin": "14300"}
    reading = poll(FAMILY_3, replies, framed=True).reading
    assert powers(reading)[-1] == ("device: pin", 3300.0, "ac_in_psu")
    assert (reading.mode.settled, reading.mode.state) == (False, "raising frequency")
