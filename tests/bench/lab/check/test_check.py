"""A lab is checked before anything starts: who answers, with which clock and version, and what it can reach."""

import json

import pytest
from doubles.lab.hosts import VERSION, fake_hosts, lab_of

from bench.cli.lab.check_tables import check_document, print_check
from bench.lab.check import identity
from bench.lab.check.run import check_lab
from bench.results.labs.reasons import REASONS
from hardware_profiles.errors import InputError

LAB = """
[lab]
name = "georgia lab"

[[host]]
name = "gpu[01-03]"
meters = ["shelly:192.0.2.1"]
domain = "rack-a"

[[domain]]
name = "rack-a"

[[meter]]
name = "pdu-a"
spec = "shelly:192.0.2.9"
read_by = "gpu01"
covers = ["gpu[02-03]"]

[[miner]]
name = "s21"
address = "192.0.2.7"
from = "gpu02"
"""


@pytest.fixture
def lab(tmp_path):
    return lab_of(LAB, tmp_path / "lab.toml")


@pytest.fixture
def hosts():
    return fake_hosts("gpu01", "gpu02", "gpu03")


@pytest.fixture
def check(lab, hosts, tmp_path):
    def run(**more):
        return check_lab(lab, tmp_path / "results", way_to=lambda _, host: hosts[host.name], **more)

    return run


def codes(done, name):
    return [refusal.code for refusal in done.hosts[name].refusals]


def test_a_sound_lab_is_ok_in_every_part(check, hosts):
    done = check()
    assert done.ok
    assert done.refused() == {}
    assert {host.hello.perwatt_version for host in done.hosts.values()} == {VERSION}
    assert all(abs(host.offset.utc_s) <= host.offset.utc_bound_s + 1e-3 for host in done.hosts.values())
    assert done.meters["pdu-a"].seen.power_w == 412.5
    assert done.miners["s21"].seen.title == "Maker S21"
    assert hosts["gpu01"].asked.count("clock") == 9  # the first waits for the program and does not count


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"gone": "unreachable"}, "unreachable"),
        ({"gone": "no_answer"}, "no_answer"),
        ({"utc_off_s": 7200.0}, "clock_off"),
        ({"version": "1.1+def"}, "version_differs"),
        ({"is_quiet": False}, "not_quiet"),
        ({"room_bytes": 1000}, "disk_full"),
        ({"folder_fault": "/lab: Permission denied"}, "not_writable"),
        ({"meter_faults": {"shelly:192.0.2.1": "no route to host"}}, "meter_missing"),
    ],
)
def test_a_host_that_cannot_take_part_is_refused_alone_and_by_its_reason(check, hosts, change, code):
    for key, value in change.items():
        setattr(hosts["gpu03"], key, value)
    done = check()
    assert not done.ok
    assert codes(done, "gpu03") == [code]
    assert code in REASONS
    assert done.refused().keys() == {"gpu03"}
    assert done.hosts["gpu01"].ok
    assert done.hosts["gpu02"].ok


def test_a_clock_two_hours_off_is_said_with_its_bound(check, hosts):
    hosts["gpu02"].utc_off_s = -7200.0
    (refusal,) = check().hosts["gpu02"].refusals
    assert refusal.detail.startswith("expected at most 2 s, got -7200.0")
    assert "±" in refusal.detail


def test_a_load_that_the_operator_allows_refuses_no_host(check, hosts):
    hosts["gpu02"].is_quiet = False
    done = check()
    assert done.refused({"not_quiet"}) == {}
    assert not done.ok


def test_two_names_of_one_machine_are_both_refused(check, hosts):
    hosts["gpu02"].host_id = hosts["gpu03"].host_id
    done = check()
    assert codes(done, "gpu02") == codes(done, "gpu03") == ["same_machine"]
    assert codes(check(), "gpu02") == ["same_machine"]  # neither was pinned


def test_a_host_is_pinned_at_its_first_check_and_a_change_is_refused_until_it_is_accepted(check, hosts):
    check()
    hosts["gpu02"].host_id = "000000ff"
    for _ in range(2):
        (refusal,) = check().hosts["gpu02"].refusals
        assert refusal == ("host_changed", "expected machine 00000002, got 000000ff")
    assert check(accept=["gpu02"]).ok
    assert check().ok
    hosts["gpu02"].host_id = "00000002"
    assert codes(check(), "gpu02") == ["host_changed"]


def test_a_host_that_answers_for_another_is_refused_and_the_other_is_not(check, hosts):
    check()
    hosts["gpu03"].host_id = hosts["gpu02"].host_id
    done = check(accept=["gpu03"])  # accepting does not make one machine two
    assert [(one.code, one.detail) for one in done.hosts["gpu03"].refusals] == [
        ("answers_for", "machine 00000002 is gpu02")
    ]
    assert done.hosts["gpu02"].ok


def test_the_ssh_key_is_pinned_too(lab, tmp_path):
    ledger = identity.pins_ledger(tmp_path / "results", lab.name)
    pins = {"gpu01": identity.Pin("00000001", "ssh-ed25519 SHA256:aaa")}
    hello = fake_hosts("gpu01")["gpu01"]._hello({})
    for key, expected in (("ssh-ed25519 SHA256:aaa", []), ("ssh-ed25519 SHA256:bbb", ["host_changed"]), ("", [])):
        host = identity.HostCheck("gpu01", hello, host_key=key)
        checked = identity.compared([host], pins, (), VERSION)["gpu01"]
        assert [one.code for one in checked.refusals] == expected
        identity.write_pins(ledger, [checked], pins, ())
    assert not ledger.path.exists()  # a check without ssh does not forget the key, and a refused one pins nothing


def test_the_odd_version_is_refused_and_a_tie_is_decided_by_this_machine(check, hosts, monkeypatch):
    hosts["gpu01"].version = "0.9"
    assert codes(check(), "gpu01") == ["version_differs"]
    monkeypatch.setattr("bench.lab.check.run.code_version", lambda: "0.9")
    hosts["gpu03"].gone = "unreachable"
    done = check()
    assert codes(done, "gpu01") == []
    assert codes(done, "gpu02") == ["version_differs"]


def test_a_shared_meter_and_a_miner_are_asked_by_their_own_host(check, hosts):
    hosts["gpu01"].meter_faults["shelly:192.0.2.9"] = "no answer"
    hosts["gpu02"].miner_faults["s21"] = "no family recognised"
    done = check()
    assert all(host.ok for host in done.hosts.values())
    assert not done.ok
    assert done.meters["pdu-a"].refusal == ("meter_missing", "no answer")
    assert done.miners["s21"].refusal == ("miner_missing", "no family recognised")
    assert done.refused().keys() == {"s21"}
    hosts["gpu01"].gone = "unreachable"
    assert "gpu01, which reads it, did not look at it" in check().meters["pdu-a"].refusal.detail


def test_a_run_behind_a_shared_meter_is_promised_a_log_of_its_period_and_boundary(check):
    done = check()
    assert done.planned_meters("gpu01") == ()
    assert done.planned_meters("gpu02") == (
        "--meter", "trace:lab-pdu-a.csv,period=1.25,boundary=rack,wait=later,accuracy=0.01,tier=B",
    )  # fmt: skip


def test_a_part_of_the_lab_is_checked_with_the_hosts_that_read_its_meters(check, hosts):
    done = check(hosts=["gpu03"])
    assert done.hosts.keys() == {"gpu01", "gpu03"}
    assert done.meters.keys() == {"pdu-a"}
    assert done.miners == {}
    assert hosts["gpu02"].asked == []
    assert check(hosts=["gpu01"]).hosts.keys() == {"gpu01"}


def test_an_unknown_host_is_named_with_near_names(check):
    with pytest.raises(InputError, match=r"expected a host of this lab, got 'gpu04' \(did you mean gpu0"):
        check(accept=["gpu04"])


def test_the_table_fits_80_columns_and_names_each_reason_once_with_its_cure(check, hosts, capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")
    hosts["gpu02"].gone = "unreachable"
    hosts["gpu03"].utc_off_s = 7200.0
    hosts["gpu03"].is_quiet = False
    print_check(check())
    out = capsys.readouterr().out
    table, reasons = out[: out.index("[1]  ")], out[out.index("[1]  ") :]
    assert max(map(len, table.split("\n"))) <= 80
    assert "lab        georgia lab: 1 of 3 hosts ok" in table
    assert "clock_off [2]" in table
    assert "+7200.0" in table
    assert "let NTP or chrony set the clock" in reasons
    assert reasons.count("unreachable:") == 1


def test_the_document_has_what_the_table_has(check, hosts):
    hosts["gpu02"].gone = "unreachable"
    document = json.loads(json.dumps(check_document(check())))
    first, second, _ = document["hosts"]
    assert (document["ok"], first["ok"], second["ok"]) == (False, True, False)
    assert first["devices"][1]["device"] == "gpu:GPU-1"
    assert first["clock_bound_s"] > 0.0
    assert first["domains"] == ["host:gpu01", "rack-a", "meter:shelly:192.0.2.1"]
    assert second["reasons"][0]["code"] == "unreachable"
    assert document["meters"][0]["power_w"] == 412.5
    assert document["miners"][0]["reason"].startswith("miner_missing")


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda text: text.replace("gpu[02-03]", "gpu[02-09]"), "key meter[0].covers: expected a host or miner"),
        (lambda text: text + '[[host]]\nname = "gpu02"\n', "gpu02"),
        (lambda text: text.replace('name = "rack-a"', 'name = "rack-a"\nwithin = "rack-a"'), "rack-a within rack-a"),
    ],
)
def test_a_faulty_lab_file_ends_the_command_before_any_host_is_asked(perwatt, tmp_path, change, words):
    (tmp_path / "lab.toml").write_text(change(LAB))
    done = perwatt("lab", "check", "lab.toml")
    assert done.returncode == 2
    assert words in done.stderr


def test_the_command_says_what_is_wrong_with_its_arguments(perwatt, tmp_path):
    assert perwatt("lab", "check", "none.toml").returncode == 2
    (tmp_path / "lab.toml").write_text(LAB)
    done = perwatt("lab", "check", "lab.toml", "--accept", "gpu04")
    assert done.returncode == 2
    assert "expected a host of this lab, got 'gpu04'" in done.stderr
