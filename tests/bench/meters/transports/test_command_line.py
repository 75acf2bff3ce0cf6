"""The command line with meters of transports: a look at each, and the names of the tables."""

import json
import math
import re

import numpy as np
import pytest
from click.shell_completion import ShellComplete
from doubles.meters.device import settings_of

from bench.cli import perwatt as command
from bench.meters.points import table

ONE_EACH = list({table.bundled(name).transport: name for name in table.names() if name != "kepler-node"}.values())


def spec_of(peer):
    described = table.bundled(peer.name)
    target = f":{peer.target}" if peer.target else ""
    return f"{described.transport}{target},table={peer.name}{settings_of(described)}"


@pytest.mark.parametrize("name", ONE_EACH)
def test_a_look_says_what_was_read_and_from_which_raw_values(peer, perwatt, name):
    one, described = peer(name), table.bundled(name)
    done = perwatt("meter", "check", spec_of(one), "--json")
    assert (done.returncode, done.stderr) == (0, "")
    seen = json.loads(done.stdout)
    assert seen["covers"].startswith(described.title)
    assert seen["unit"] == described.of("power")[0].unit
    assert 3000.0 < seen["mean_w"] < 5000.0
    assert seen["period_s"] == pytest.approx(max(described.period.s if described.period.s <= 5 else 1.0, 0.1), rel=0.5)
    assert len(seen["points"]) == len(described.points) + bool(described.unverified)
    assert any(re.match(r"power.* = [0-9.]+ W, from '?[0-9.E+]+'? times ", line) for line in seen["points"])
    assert seen["refused"] == []


def test_people_see_the_scale_that_the_device_states(peer, perwatt):
    one = peer("raritan-px2-inlet", lambda t: 400.0 + math.sin(t))
    done = perwatt("meter", "check", spec_of(one))
    assert "covers    Raritan PX2 and PX3, one inlet: all that the inlet feeds" in done.stdout
    assert re.search(r" power = [0-9.]+ W, from [0-9]+ times 0.001 W, whose digits the device states", done.stdout)


def test_a_device_that_updates_more_slowly_than_its_table_says_is_named_with_the_cure(peer, perwatt):
    one = peer("abb-b", lambda t: 4000.0 + t // 3.0)
    seen = json.loads(perwatt("meter", "check", spec_of(one), "--seconds", "30", "--json").stdout)
    assert any(
        re.fullmatch(r"a new value every [23](\.\d+)? s, but 1 s is stated .* slow, then add period=[23](\.\d)?", words)
        for words in seen["understood"]
    )


def test_a_run_says_so_too_and_the_cure_works(clock, peer, meter):
    one = peer("abb-b", lambda t: 4000.0 + t // 3.0)
    for settings, words in (("", "a new value every"), (",period=3", "")):
        opened = meter(one, settings)
        clock.sleep(10.0)
        start_s, window_s = clock.monotonic(), 110.0 * opened.info.poll_s
        clock.sleep(window_s)
        energy = opened.energy(start_s, start_s + window_s)
        assert ("too_few_samples" in energy.reasons, words in energy.detail) == (not settings, True)
    assert energy.reasons == ()


def test_a_load_that_changes_at_its_own_times_is_not_taken_for_a_slow_meter(peer, perwatt):
    random = np.random.default_rng(1)
    watts = 400.0 + np.cumsum(random.random(400) < 0.3)  # repeats most values
    one = peer("apc-rpdu", lambda t: watts[int(t) % 400])
    seen = json.loads(perwatt("meter", "check", spec_of(one), "--seconds", "60", "--json").stdout)
    assert not any("stated as its update period" in words for words in seen["understood"])


def test_a_wrong_scale_is_an_error_before_any_run(peer, perwatt):
    one = peer("abb-b")
    one.device.mode = "decade"
    done = perwatt("meter", "check", spec_of(one))
    assert (done.returncode, len(done.stderr.splitlines())) == (2, 1)
    assert "too large by a factor of 10" in done.stderr


def test_the_tables_are_listed_with_the_specs_that_name_them(perwatt):
    rows = {row["table"]: row for row in json.loads(perwatt("list", "tables", "--json").stdout)}
    assert set(rows) == set(table.names())
    assert rows["raritan-px2-outlet"]["spec"] == "snmp:10.0.0.6,table=raritan-px2-outlet,outlet=OUTLET"
    assert rows["dcgm"]["spec"].endswith("table=dcgm,period=PERIOD")
    assert rows["apc-rpdu2"]["more_settings"] == ["pdu"]
    assert "Eastron SDM630" in perwatt("list", "tables").stdout


@pytest.mark.parametrize("where", [("list", "meters"), ("doctor",)])
def test_the_transports_name_their_tables(perwatt, where):
    found = json.loads(perwatt(*where, "--json").stdout)
    text = json.dumps(found)
    assert all(name in text for name in table.names())


@pytest.mark.parametrize("where", [("list", "meters"), ("doctor",)])
def test_the_boundaries_are_those_that_the_tables_state(perwatt, where):
    shown = perwatt(*where).stdout
    assert "rack, wall (by table)" in shown.replace("\n", " ")
    assert "state it" not in shown


def test_the_remedy_of_a_transport_is_a_spec_that_its_table_takes(perwatt):
    rows = json.loads(perwatt("doctor", "--json").stdout)["meters"]
    remedies = [row["cure"] for row in rows if "table=" in row["spec"]]
    assert any("table=dcgm,period=PERIOD" in remedy for remedy in remedies)


@pytest.mark.parametrize(
    ("typed", "expected"),
    [
        ("modbus:10.0.0.9,table=eastron-sdm6", "modbus:10.0.0.9,table=eastron-sdm630"),
        ("snmp:10.0.0.6,table=apc-e", "snmp:10.0.0.6,table=apc-epdu"),
        ("ipmi,table=", "ipmi,table=dcmi"),
        ("mod", "modbus"),
    ],
)
def test_tables_are_completed(typed, expected, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    shell = ShellComplete(command, {}, "perwatt", "_PERWATT_COMPLETE")
    assert [item.value for item in shell.get_completions(["meter", "check"], typed)] == [expected]


def test_a_table_of_the_user_is_completed(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "our.toml").touch()
    shell = ShellComplete(command, {}, "perwatt", "_PERWATT_COMPLETE")
    items = shell.get_completions(["run", "--meter"], "modbus:10.0.0.9,table=ou")
    assert [item.value for item in items] == ["modbus:10.0.0.9,table=our.toml"]
