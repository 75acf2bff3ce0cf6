"""The check of a lab over real ssh, to hosts with cables of unequal delays, other clocks, ids and keys."""

import shutil

import pytest
from doubles.namespaces.lab import why_not
from doubles.namespaces.operator_machine import operator
from faults.command import of_the_whole_suite

pytestmark = [
    pytest.mark.slow,
    of_the_whole_suite,
    pytest.mark.skipif(bool(why_not()), reason=why_not() or "namespaces can be made"),
]
THERE_S, BACK_S = 0.002, 0.08  # delays of the cable to the host `far` and from it


@pytest.fixture
def machine(tmp_path):
    domains = dict.fromkeys(("near", "far", "late"))
    with operator(tmp_path, domains, delays_s={"far": (BACK_S, THERE_S)}, clocks={"late": "+2h"}) as machine:
        yield machine


def codes(host):
    return [reason["code"] for reason in host["reasons"]]


def test_the_bound_of_each_clock_holds_the_truth_and_a_clock_two_hours_off_is_refused(machine):
    """All hosts share the clock of this machine, so the true offset is 0 but for the one that is set."""
    hosts = machine.check()
    for name, true_s in (("near", 0.0), ("far", 0.0), ("late", 7200.0)):
        assert abs(hosts[name]["clock_offset_s"] - true_s) <= hosts[name]["clock_bound_s"] + 1e-3
    assert hosts["near"]["clock_bound_s"] < 0.05
    assert hosts["far"]["clock_bound_s"] > (THERE_S + BACK_S) / 2.0
    assert abs(hosts["far"]["clock_offset_s"]) > 0.02  # all delay is on one way: the middle is off by half of it
    assert (codes(hosts["near"]), codes(hosts["far"])) == ([], [])
    assert codes(hosts["late"])[0] == "clock_off"
    assert len({host["host_id"] for host in hosts.values()}) == 3
    assert all(host["host_key"].startswith("ssh-ed25519 SHA256:") for host in hosts.values())


def test_a_host_that_changes_is_refused_until_it_is_accepted_and_one_that_answers_for_another_always(machine):
    machine.check("--host", "near", "--host", "far")
    machine.lab.hosts["near"].machine_id.write_text("0123456789abcdef0123456789abcdef\n")
    assert codes(machine.check("--host", "near")["near"]) == ["host_changed"]
    assert codes(machine.check("--host", "near", "--accept", "near")["near"]) == []
    lab_file = machine.folder / "lab.toml"
    addresses = [f"root@{machine.lab.hosts[name].address}" for name in ("near", "far")]
    lab_file.write_text(lab_file.read_text().replace(*addresses, 1))
    assert codes(machine.check("--host", "near", "--accept", "near")["near"]) == ["answers_for"]


def test_a_host_with_another_ssh_key_and_one_that_is_switched_off_are_a_line_each(machine):
    machine.lab.hosts["near"].kill()
    machine.lab.hosts["far"].kill()
    shutil.copy(machine.lab.folder / "late.key", machine.lab.folder / "near.key")
    machine.lab.boot("near")
    hosts = machine.check("--host", "near", "--host", "far")
    assert (codes(hosts["near"]), codes(hosts["far"])) == (["host_changed"], ["unreachable"])
    assert "known_hosts" in hosts["near"]["reasons"][0]["reason"]
