"""Each family's replies, by version, give the right record over real sockets."""

import json
from dataclasses import asdict

import pytest
from doubles.miners.unit import Unit

MAKES = [
    ("axeos", {"version": "v2.4.1"}),
    ("axeos", {"version": "v2.9.0"}),
    ("axeos", {"version": "v2.12.2"}),
    ("axeos", {"version": "v2.15.0"}),
    ("luxos", {}),
    ("luxos", {"version": "2025.4.8.220305-57b389c7", "boards": 2}),
    ("luxos", {"version": "2023.12.1.90000-00ff00ff"}),
    ("braiins", {}),
    ("braiins", {"version": "bosminer-plus-tuner 0.2.0-36c56a9363", "key": "BOSminer+"}),
    ("braiins", {"version": "boser-openwrt 0.1.0-11012d53"}),
    ("braiins_rest", {"version": "25.07"}),
    ("braiins_rest", {"version": "25.11"}),
    ("braiins_rest", {"version": "26.04"}),
    ("vnish", {"version": "1.2.6"}),
    ("vnish", {"version": "1.2.7", "hr_measure": "MH/s"}),
    ("vnish", {"version": "1.3.4"}),
    ("epic", {"version": "PowerPlay-BMS v1.5.13"}),
    ("epic", {"version": "PowerPlay v1.22.5"}),
    ("epic", {"version": "PowerPlay v1.30.0", "true_power": True, "current_a": 12.5}),
    ("sealminer", {}),
    ("auradine", {}),
    ("auradine", {"version": "2023-12.27", "key": "FluxOS"}),
    ("proto", {}),
]
KINDS = {
    "axeos": {"info: power": "dc_out_plus_const", "info: maxPower": "nameplate"},
    "luxos": {"power: Watts": "estimate", "profiles[1]: Watts": "target"},
    "braiins": {"tunerstatus: ApproximateMinerPowerConsumption": "estimate", "tunerstatus: PowerLimit": "target"},
    "braiins_rest": {
        "miner/stats.power_stats.approximated_consumption: watt": "estimate",
        "performance/tuner-state.mode_state.powertargetmodestate.current_target: watt": "target",
    },
    "vnish": {"summary: power_consumption": "estimate"},
    "epic": {
        "summary.Power Supply Stats: Input Power": "estimate",
        "summary.PresetInfo: Target Power": "target",
    },
    "sealminer": {
        "stats: PSU Input Power": "ac_in_psu",
        "stats: PSU Output Power": "dc_out",
        "stats: Power Limit": "target",
    },
    "auradine": {
        "psu: PowerIn": "ac_in_psu",
        "psu: PowerOut": "dc_out",
        "psu: PoutMax": "nameplate",
        "mode: Power": "target",
    },
    "proto": {
        "mining: power_usage_watts": "ac_in_psu",
        "mining: power_target_watts": "target",
        "telemetry: psus[*].power.input": "ac_in_psu",
        "telemetry: psus[*].power.output": "dc_out",
    },
}
SERIALS = ("LUX0", "B0000", "V0000", "E0000", "S0000", "AU00", "P-CB", "abcdEFGH", "miner-1", "axe-7")
EVERY_FAMILY = pytest.mark.parametrize(
    ("family", "settings"), MAKES, ids=lambda value: value if isinstance(value, str) else value.get("version", "")
)


def small(family):
    """Return a unit of the size of its family."""
    return Unit(1.1e12, 17.0, difficulty=1024.0, elapsed_s=7200.0) if family == "axeos" else Unit(elapsed_s=7200.0)


@EVERY_FAMILY
def test_a_rate_comes_with_its_unit_window_basis_and_the_text_as_sent(machine, family, settings):
    made = machine(family, small(family), **settings)
    reading = made.read()
    unit = made.unit
    assert reading.rates
    for rate in reading.rates:
        assert rate.raw_key
        assert rate.raw
        assert rate.averaging in {"instant", "since_restart", "decay", "unknown"} or rate.window_s
        assert 0.7 * unit.shown_h_s <= rate.rate_h_s <= 1.8 * unit.shown_h_s or (rate.window_s or 0.0) > unit.elapsed_s
    assert min(abs(rate.rate_h_s / unit.shown_h_s - 1.0) for rate in reading.rates) < 1e-6


@EVERY_FAMILY
def test_a_power_has_the_kind_that_the_facts_say(machine, family, settings):
    made = machine(family, small(family), **settings)
    expected = dict(KINDS[family])
    if settings.get("true_power"):
        expected["summary.Power Supply Stats: Input Power"] = "ac_in_psu"
    if settings.get("version") == "v2.4.1":
        expected.pop("info: maxPower", None)
    powers = made.read().powers
    assert {power.raw_key: power.kind for power in powers} == expected
    assert all(power.raw and power.power_w > 0.0 for power in powers)


@EVERY_FAMILY
def test_the_identity_names_the_machine_and_neither_serial_number_address_nor_user(machine, family, settings):
    reading = machine(family, small(family), **settings).read()
    assert reading.identity.family == ("braiins" if family == "braiins_rest" else family)
    assert reading.identity.model
    assert settings.get("version", "") in reading.identity.firmware_version
    text = json.dumps(asdict(reading), ensure_ascii=False)
    assert [word for word in ("secret", "worker", "02:", "correct horse", *SERIALS) if word in text] == []


@EVERY_FAMILY
def test_counters_boards_fans_temperatures_and_pools_are_read(machine, family, settings):
    made = machine(family, small(family), **settings)
    reading = made.read()
    if family != "proto":
        assert reading.counters.accepted is not None
        assert abs(reading.counters.accepted - made.unit.accepted) <= 7  # VNish adds those of the fee
    if family != "vnish":
        assert reading.counters.elapsed_s == 7200.0
    assert reading.fans
    assert reading.temperatures
    pool = reading.pools[0]
    assert (pool.url, pool.active) == ("stratum+tcp://pool.example.com:3333", True)
    boards = [board for board in reading.boards if board.rate_h_s]
    if family == "epic":
        assert len(boards) == 2
    assert sum(board.rate_h_s for board in boards) == pytest.approx(made.unit.shown_h_s, rel=1e-6)


@EVERY_FAMILY
def test_a_machine_in_order_gives_no_warning_but_those_that_its_firmware_always_earns(machine, family, settings):
    reading = machine(family, small(family), **settings).read()
    always = {
        "luxos": ("FeeStatus", "total rate", "Total MH is a rate", "the window is not full"),
        "braiins": ("the window is not full",),
        "braiins_rest": ("the window is not full",),
        "sealminer": ("two averages since the restart differ", "times the nominal rate", "MHS(Avg)", "chips answer"),
        "epic": ("switched off",),
        "axeos": ("totalHashes",),
    }.get(family, ())
    assert [line for line in reading.warnings if not any(words in line for words in always)] == []
