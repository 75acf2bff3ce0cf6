"""A control file declares all that is dangerous, and every fault of it is one line."""

import re
from datetime import UTC, datetime
from hashlib import sha256

import pytest

from bench.control.setup import schema
from bench.control.setup.arm import read_arm
from bench.control.setup.read import parse_control, read_control
from hardware_profiles.errors import InputError
from sites.control.model import OFF, ON
from sites.control.rules import Fallback

NOW_S = 1_796_090_400.0  # 2026-12-01 02:00 UTC

CONTROL = """
[control]
tick_s = 30
on_stale_price = "hold"
on_lost_telemetry = "curtail"
on_controller_death = "keep"
windows_down = 2
windows_up = 4

[limits]
feeder_kw = 200
ramp_kw_per_min = 50
units_per_wave = 10
wave_interval_s = 20
min_on_s = 900
min_off_s = 600
commands_per_hour = 6
fleet_frac = 0.2
overshoot_percent = 5
other_kw = 10
losses_percent = 2

[feeder]
meter = "constant:5"
verify_s = 120

[[unit]]
name = "m[01-20]"
block = "miners"
lever = "luxos"
address = "10.0.4.[1-20]"
power_w = 3300
asleep_w = 30
efficiency_j_per_th = 16.5
ramp_up_s = 600

[[unit]]
name = "gpu1"
block = "gpus"
lever = "hook"
address = "/bin/true"
power_w = 5600
asleep_w = 400
efficiency_j_per_token = 2
[[unit.level]]
name = "4000W"
power_w = 4000
efficiency_j_per_token = 1.6
"""


def parsed(path, text=CONTROL):
    path.write_text(text, encoding="utf-8")
    return read_control(path)


@pytest.fixture
def path(tmp_path):
    return tmp_path / "control.toml"


def test_a_control_file_gives_every_unit_its_terms_and_its_device(path):
    read = parsed(path)
    assert list(read.units) == [*(f"m{number:02}" for number in range(1, 21)), "gpu1"]
    assert str(read.devices["m20"]) == "luxos:10.0.4.20"
    miner, gpu = read.units["m01"].unit, read.units["gpu1"].unit
    assert [(level.name, level.power_w) for level in miner.levels] == [(OFF, 30.0), (ON, 3300.0)]
    assert miner.levels[1].rate_per_s == pytest.approx(200e12)
    assert (miner.ramp_up_s, miner.ramp_down_s) == (600.0, 0.0)
    assert [level.name for level in gpu.levels] == [OFF, "4000W", ON]
    assert gpu.levels[1].rate_per_s == pytest.approx(2500.0)
    assert read.sha256 == sha256(CONTROL.encode()).hexdigest()


def test_the_limits_and_rules_are_those_of_the_file(path):
    read = parsed(path)
    assert (read.limits.feeder_w, read.limits.other_w, read.limits.losses_frac) == (200e3, 10e3, 0.02)
    assert (read.limits.ramp_w_per_min, read.limits.overshoot_frac) == (50e3, 0.05)
    assert read.rules.on_stale_price is Fallback.HOLD
    assert read.rules.on_lost_telemetry is Fallback.CURTAIL
    assert not read.rules.has_price
    assert read.limits.at_feeder_w(read.rules.units_mw * 1e6) == pytest.approx(read.limits.feeder_w)
    assert (read.tick_s, read.lost_telemetry_s, read.verify_s, read.feeder) == (30.0, 90.0, 120.0, "constant:5")
    setup = read.setup("a site", policy=None)
    assert (setup.site, setup.units, setup.permit) == ("a site", read.units, None)


@pytest.mark.parametrize(
    "key",
    [
        "on_stale_price", "on_lost_telemetry", "on_controller_death", "feeder_kw", "ramp_kw_per_min", "units_per_wave",
        "wave_interval_s", "min_on_s", "min_off_s", "commands_per_hour", "fleet_frac", "overshoot_percent", "other_kw",
        "losses_percent", "power_w", "asleep_w",
    ],
)  # fmt: skip
def test_what_is_dangerous_to_assume_has_no_default(path, key):
    text = "\n".join(line for line in CONTROL.splitlines() if not line.startswith(f"{key} ="))
    with pytest.raises(InputError, match=rf"{key}: expected a value \(the key is required\)"):
        parsed(path, text)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ('on_stale_price = "hold"', 'on_stale_price = "guess"', "control.on_stale_price: expected"),
        ('on_lost_telemetry = "curtail"', 'on_lost_telemetry = "run"', "control.on_lost_telemetry: expected"),
        ('on_controller_death = "keep"', 'on_controller_death = "off"', "control.on_controller_death: expected"),
        ("windows_down = 2", "windows_down = 0", "control.windows_down: expected"),
        ("tick_s = 30", "tick_s = 30\nlost_telemetry_s = 30", "lost_telemetry_s: expected more than tick_s"),
        ("fleet_frac = 0.2", "fleet_frac = 0.01", "limits.fleet_frac: expected a share of at least one of 21 units"),
        ("fleet_frac = 0.2", "fleet_frac = 20", "limits.fleet_frac: expected"),
        ("feeder_kw = 200", "feeder_kw = 10", "limits.feeder_kw: expected more than other loads and losses"),
        ("feeder_kw = 200", "feeder_kw = nan", "limits.feeder_kw: expected"),
        ("asleep_w = 30", "asleep_w = 3300", "asleep_w: expected less than power_w"),
        ("power_w = 4000", "power_w = 9000", r"level\[0\].power_w: expected a power between"),
        ('name = "4000W"', 'name = "off"', r"level\[0\]: expected another name than off"),
        ('lever = "luxos"', 'lever = "luxor"', r"unit\[0\].lever: expected one of"),
        ('name = "gpu1"', 'name = "m07"', r"unit\[1\].name: expected another name, got 'm07' again"),
        ('address = "10.0.4.[1-20]"', 'address = "10.0.4.[1-19]"', r"unit\[0\].address: expected 20 values"),
        ('address = "10.0.4.[1-20]"', 'address = "10.0.4.1"', "expected another device than that of m01"),
        ("ramp_up_s = 600", 'ramp_up_s = "ramp:none"', r"unit\[0\].ramp_up_s: "),
        ("ramp_up_s = 600", "ramp_up_s = -1", "ramp_up_s: expected"),
        ("efficiency_j_per_th = 16.5", "efficiency_j_per_th = 16.5\nefficiency_j_per_token = 1", "got both"),
        ("ramp_up_s = 600", 'options = { password = "x" }', "password has no place"),
        ("ramp_up_s = 600", 'options = { colour = "x" }', r"unit\[0\].lever luxos: key colour: expected"),
        ("tick_s = 30", "tick = 30", "control.tick"),
    ],
)  # fmt: skip
def test_a_fault_is_refused_in_a_line_that_names_the_key(path, old, new, message):
    assert old in CONTROL
    with pytest.raises(InputError, match=message) as refused:
        parsed(path, CONTROL.replace(old, new, 1))
    assert all(line.startswith(str(path)) for line in str(refused.value).splitlines())


@pytest.mark.parametrize("address", ["/bin/echo http://10.0.4.[1-20]:80/api", "/bin/echo rack[1-2]-[1-10] now"])
def test_a_node_set_stands_within_an_address_too(path, address):
    text = CONTROL.replace('"luxos"', '"hook"').replace("10.0.4.[1-20]", address)
    addresses = [device.address for device in parsed(path, text).devices.values()]
    assert addresses[1] == address.replace("[1-20]", "2").replace("rack[1-2]-[1-10]", "rack1-2")
    assert len(set(addresses)) == 21


def test_two_node_sets_in_one_address_are_refused(path):
    with pytest.raises(InputError, match=r"expected one node set, got 'a.1-20. b.1-20.'"):
        parsed(path, CONTROL.replace("10.0.4.[1-20]", "a[1-20] b[1-20]"))


def test_a_source_of_targets_needs_a_rule_for_its_silence(path):
    target = '\n[target]\nsource = "file:targets.json"\n'
    with pytest.raises(InputError, match=r"control\.on_lost_target: expected hold, curtail or run"):
        parsed(path, CONTROL + target)
    read = parsed(path, CONTROL.replace("[limits]", 'on_lost_target = "run"\n[limits]') + target)
    assert read.rules.on_lost_target is Fallback.RUN
    assert len(read.targets) == 1


def test_units_of_a_block_that_the_site_lacks_are_refused(path):
    read = parsed(path)
    read.check_blocks(("miners", "gpus"), "a site")
    with pytest.raises(InputError, match=r"expected a block of site a site \(miner, gpus\), got 'miners'.*mean miner"):
        read.check_blocks(("miner", "gpus"), "a site")


def test_the_schema_knows_every_table():
    text = schema.as_text()
    for key in ("on_stale_price", "losses_percent", "efficiency_j_per_token", "on_lost_target"):
        assert f'"{key}"' in text


def test_ten_thousand_units_are_read_in_a_moment():
    text = CONTROL.replace("m[01-20]", "m[0001-9999]").replace("10.0.4.[1-20]", "10.0.[0-39].[0-249]")
    text = text.replace("10.0.[0-39].[0-249]", "h[0001-9999]").replace("feeder_kw = 200", "feeder_kw = 50000")
    assert len(parse_control(text.encode(), "control.toml").units) == 10_000


def arm_text(read, **changes):
    values = {
        "site": '"a site"', "units": '["m[01-05]", "gpu1"]', "maximum_mw": "0.02",
        "expires": "2026-12-20T00:00:00Z", "control_sha256": f'"{read.sha256}"', **changes,
    }  # fmt: skip
    return "".join(f"{key} = {value}\n" for key, value in values.items())


def armed(path, **changes):
    read = parsed(path, changes.pop("control", CONTROL))
    arm = path.with_name("arm.toml")
    arm.write_text(arm_text(read, **changes), encoding="utf-8")
    return read_arm(arm, read, "a site", NOW_S)


def test_a_fitting_arm_file_permits_its_units_up_to_its_megawatts(path):
    outcome = armed(path)
    assert outcome.reason == ""
    assert outcome.permit.units == {"m01", "m02", "m03", "m04", "m05", "gpu1"}
    assert outcome.permit.maximum_w == pytest.approx(20e3)
    assert outcome.expires_s == datetime(2026, 12, 20, tzinfo=UTC).timestamp()


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"site": '"another"'}, "arms site 'another', not 'a site'"),
        ({"control_sha256": f'"{"0" * 64}"'}, "arms another content of control.toml"),
        ({"units": '["m01", "x[1-2]"]'}, "units that control.toml does not have: x1 and 1 more"),
        ({"expires": "2026-12-01T02:00:00Z"}, "it has expired"),
        ({"expires": "2026-12-31T02:00:01Z"}, "more than 30 days"),
        ({"control": CONTROL.replace('[feeder]\nmeter = "constant:5"\nverify_s = 120', "")}, "has no .feeder."),
    ],
)
def test_an_arm_file_that_does_not_fit_leaves_the_site_in_shadow(path, changes, reason):
    outcome = armed(path, **changes)
    assert outcome.permit is None
    assert outcome.expires_s is None
    assert re.search(reason, outcome.reason)
    assert "\n" not in outcome.reason


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"maximum_mw": "0"}, "maximum_mw: expected"),
        ({"expires": "2026-12-20T00:00:00"}, "expires: expected"),
        ({"control_sha256": '"abc"'}, "control_sha256: expected"),
        ({"units": "[]"}, "units: expected"),
        ({"unit": "3"}, "unit"),
    ],
)
def test_a_faulty_arm_file_is_refused(path, changes, message):
    with pytest.raises(InputError, match=message):
        armed(path, **changes)
