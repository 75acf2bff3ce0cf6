"""What `perwatt control` prints, refuses and returns, on a stepped twin."""

import json

import pytest
from doubles.twin.running import running_twin

from bench.twin.files import write_files


@pytest.fixture(scope="module")
def twin():
    with running_twin(units=4) as running:
        yield running


@pytest.fixture
def site(twin, tmp_path):
    """The words that name the twin's site, its control file and its clock; and the folder of its files."""
    files = write_files(tmp_path, twin.twin, twin.served)
    words = [files["site"], "--units", files["control"], "--clock", f"http://{twin.served.pages}/clock"]
    return files, words


def test_shadow_is_the_default_and_says_each_cycle_in_a_line(perwatt, site, twin):
    _, words = site
    done = perwatt("control", *words, "--cycles", 1)
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    assert "shadow (simulated)" in lines[0]
    assert "4 running" in lines[0]
    assert "0 would have been sent, none was" in done.stdout
    assert twin.page("/bytes")["changes"] == 0


def test_an_arm_file_that_fits_arms_the_site_and_one_that_does_not_leaves_it_in_shadow(perwatt, site):
    files, words = site
    armed = perwatt("control", *words, "--arm", files["arm"], "--cycles", 1, "--json")
    assert armed.returncode == 0, armed.stderr
    document = json.loads(armed.stdout)
    assert (document["mode"], document["simulated"], document["units"]) == ("armed", True, [])
    files["control"].write_text(files["control"].read_text() + "# changed\n")
    other = perwatt("control", *words, "--arm", files["arm"], "--cycles", 1, "--json")
    assert other.returncode == 3
    assert json.loads(other.stdout)["mode"] == "shadow"
    assert "arms another content of control.toml" in other.stderr
    assert "the site stays in shadow" in other.stderr


def test_the_status_and_the_check_read_the_log(perwatt, site):
    files, words = site
    assert perwatt("control", *words, "--cycles", 1).returncode == 0
    status = perwatt("control", files["site"], "--status", "--json")
    assert status.returncode == 0
    cycle = json.loads(status.stdout)["cycle"]
    assert (cycle["mode"], cycle["states"]["running"]) == ("shadow", 4)
    checked = perwatt("control", files["site"], "--verify")
    assert checked.returncode == 0
    assert "1 decision the same again" in checked.stdout
    (log,) = files["site"].parent.rglob("audit.jsonl")
    log.write_bytes(log.read_bytes().replace(b'"mode":"shadow"', b'"mode":"armed"', 1))
    broken = perwatt("control", files["site"], "--verify")
    assert broken.returncode == 1
    assert "a line was changed, removed, added or moved" in broken.stderr


def test_a_restore_without_a_command_before_has_nothing_to_bring_back(perwatt, site):
    _, words = site
    done = perwatt("control", *words, "--restore")
    assert done.returncode == 0, done.stderr
    assert "every unit is as it was found" in done.stdout


def test_a_person_who_resumes_is_heard_by_the_next_cycle(perwatt, site):
    files, words = site
    assert perwatt("control", *words, "--cycles", 1).returncode == 0
    assert "the halt ends with the next cycle" in perwatt("control", files["site"], "--resume").stdout
    assert perwatt("control", *words, "--cycles", 1).returncode == 0
    (log,) = files["site"].parent.rglob("audit.jsonl")
    rows = [json.loads(line) for line in log.read_text().splitlines()]
    assert [bool(row["tick"].get("resumed_by")) for row in rows if row["kind"] == "cycle"] == [False, True]


def test_a_year_is_replayed_without_a_device(perwatt, site):
    _, words = site
    done = perwatt("control", *words[:3], "--replay")
    assert done.returncode == 0, done.stderr
    assert "regret against the best plan" in done.stdout
    document = json.loads(perwatt("control", *words[:3], "--replay", "--json").stdout)
    assert document["regret_usd"] == pytest.approx(document["best_usd"] - document["net_usd"])


@pytest.mark.parametrize("key", ["on_stale_price", "on_lost_telemetry", "feeder_kw", "min_off_s", "overshoot_percent"])
def test_a_rule_or_limit_that_is_not_declared_is_refused_in_one_line(refused, site, key):
    files, words = site
    lines = [line for line in files["control"].read_text().splitlines() if not line.startswith(key)]
    files["control"].write_text("\n".join(lines))
    line = refused("control", *words)
    assert f".{key}: expected a value (the key is required), got nothing" in line


def test_what_excludes_each_other_or_is_missing_is_refused_in_one_line(refused, site):
    files, words = site
    assert "--restore: expected no --arm with it" in refused("control", *words, "--arm", files["arm"], "--restore")
    assert "expected a log of this site" in refused("control", files["site"], "--status")
    assert "expected a log of this site" in refused("control", files["site"], "--resume")
    assert "site.control.toml" in refused("control", files["site"])
    assert "expected no further argument, got '30'" in refused("control", *words, "30")
    assert "--clock" in refused("control", *words[:3], "--clock", "http://192.0.2.1/clock")


def test_a_year_that_has_not_begun_is_refused_with_both_moments(refused, site):
    files, words = site
    text = files["site"].read_text()
    start = next(line for line in text.splitlines() if line.startswith("start = "))
    files["site"].write_text(text.replace(start, "start = 2035-01-01"))
    line = refused("control", *words, "--cycles", 1)
    assert "got 2035-01-01 00:00 UTC to 2036-01-01 00:00 UTC (now it is 20" in line


def test_the_schema_of_a_control_file_is_printed(perwatt):
    document = json.loads(perwatt("control", "schema").stdout)
    assert {"control", "limits", "unit"} <= set(document["required"])
