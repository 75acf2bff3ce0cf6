"""A lab file: node sets, names, domains and meters; every fault is one line with file, key, expected and got."""

from pathlib import Path

import pytest

from bench.lab.inventory.domains import overlap
from bench.lab.inventory.read import parse_lab, read_lab
from hardware_profiles.errors import InputError

pytest.importorskip("ClusterShell", reason="ClusterShell, which reads node sets, is not installed")

HEAD = "[lab]\nname = 'x'\n"
HOST = "[[host]]\nname = 'gpu[01-03]'\n"


def lab(text):
    return parse_lab(text.encode(), Path("lab.toml"))


def faults(text):
    with pytest.raises(InputError) as caught:
        lab(text)
    assert all(line.startswith("lab.toml: ") for line in caught.value.faults)
    return list(caught.value.faults)


def test_a_node_set_becomes_hosts_whose_addresses_and_workers_are_in_the_same_order():
    read = lab(HEAD + HOST + "address = 'me@node[7-9].lab'\nworker = 'w-[01-03]'\ntags = ['h100']\nmeters = ['rapl']")
    assert [(host.name, host.address, host.worker) for host in read.hosts.values()] == [
        ("gpu01", "me@node7.lab", "w-01"), ("gpu02", "me@node8.lab", "w-02"), ("gpu03", "me@node9.lab", "w-03"),
    ]  # fmt: skip
    assert {(host.reach, host.python, host.folder, host.domain) for host in read.hosts.values()} == {
        ("ssh", None, "~/.local/state/perwatt/lab", None)
    }
    assert lab(HEAD + HOST).hosts["gpu02"].address == "gpu02"


def test_a_measurement_occupies_its_host_its_domain_and_all_above_it():
    read = lab(
        HEAD + "[[host]]\nname='a[1-2]'\ndomain='outlet-[1-2]'\n[[host]]\nname='b'\n[[domain]]\nname='outlet-[1-2]'\n"
        "within='pdu'\n[[domain]]\nname='pdu'\nwithin='phase-1'\n[[domain]]\nname='phase-1'\n"
        "[[miner]]\nname='s21'\naddress='192.0.2.7'\nfrom='b'\ndomain='phase-1'\n"
    )
    assert read.domains_of_host("a1") == ("host:a1", "outlet-1", "pdu", "phase-1")
    assert read.domains_of_host("b") == ("host:b",)
    assert read.domains_of_miner("s21") == ("miner:s21", "host:b", "phase-1")
    assert overlap(read.domains_of_host("a1"), read.domains_of_host("a2")) == {"pdu", "phase-1"}
    assert not overlap(read.domains_of_host("a1"), read.domains_of_host("b"))


def test_a_meter_that_others_share_is_a_domain_and_the_hosts_own_is_not():
    read = lab(
        HEAD + HOST + "meters = ['rapl', 'shelly:192.0.2.9']\n[[host]]\nname='other'\n"
        "[[meter]]\nname='pdu-a'\nspec='snmp:192.0.2.8,table=x'\nread_by='other'\ncovers=['gpu[02-03]']\n"
    )
    assert read.domains_of_host("gpu01") == ("host:gpu01", "meter:shelly:192.0.2.9")
    assert read.domains_of_host("gpu02") == ("host:gpu02", "meter:pdu-a", "meter:shelly:192.0.2.9")
    assert read.domains_of_host("other") == ("host:other",)


@pytest.mark.parametrize(
    ("text", "line"),
    [
        (HOST, "lab.toml: key lab.name: expected a value (the key is required), got nothing"),
        (HEAD, "lab.toml: key host: expected a value (the key is required), got nothing"),
        (HEAD + HOST + "adress = 'x'",
         "lab.toml: key host[0].adress: expected a known key, got an unknown key (did you mean address?)"),
        (HEAD + HOST + "reach = 'telnet'", "lab.toml: key host[0].reach: expected 'ssh'"),
        (HEAD + HOST + "[[hosts]]\nname='b'", "lab.toml: key hosts: expected a known key"),
        (HEAD + HOST + "[[host]]\nname = 'gpu03'",
         "lab.toml: key host[1].name: expected each name once (node sets may overlap), got 'gpu03 again'"),
        (HEAD + HOST + "[[host]]\nname = 'gpu[03-05]'",
         "lab.toml: key host[1].name: expected each name once (node sets may overlap), got 'gpu03 again'"),
        (HEAD + HOST + "[[miner]]\nname='gpu01'\naddress='x'\nfrom='gpu01'",
         "lab.toml: key miner[0].name: expected each name once (node sets may overlap), got 'gpu01 again'"),
        (HEAD + HOST + "address = 'node[1-2]'",
         "lab.toml: key host[0].address: expected 3 values, one a name, got 2 ('node[1-2]')"),
        (HEAD + "[[host]]\nname = 'gpu[1-'",
         "lab.toml: key host[0].name: expected a node set such as gpu[01-40], got 'gpu[1-'"),
        (HEAD + "[[host]]\nname = 'gpu[5-1]'", "lab.toml: key host[0].name: expected a node set such as gpu[01-40]"),
        (HEAD + "[[host]]\nname = 'gpu[1-99999999]'", "lab.toml: key host[0].name: expected at most 10000 names"),
        (HEAD + "[[host]]\nname = 'gpu[1-9999999999]'", "lab.toml: key host[0].name: expected at most 10000 names"),
        (HEAD + "[[host]]\nname = 'a[1-999]b[1-999]'", "lab.toml: key host[0].name: expected 1 to 10000 names"),
        (HEAD + "[[host]]\nname = '@all'", "lab.toml: key host[0].name: expected a name of letters"),
        (HEAD + "[[host]]\nname = 'a,b'", "lab.toml: key host[0].name: expected one name or one node set"),
        (HEAD + "[[host]]\nname = 'a!b'", "lab.toml: key host[0].name: expected a name or a node set"),
        (HEAD + "[[host]]\nname = '-oProxyCommand'", "lab.toml: key host[0].name: expected a name of letters"),
        (HEAD + "[[host]]\nname = '../x'", "lab.toml: key host[0].name: expected a name or a node set"),
        (HEAD + HOST + "address = '-oProxyCommand=x'", "lab.toml: key host[0].address: expected a name or a node set"),
        (HEAD + "[[host]]\nname='a'\naddress = '-lroot'",
         "lab.toml: key host[0].address: expected HOST, user@HOST or an alias of ssh, got '-lroot'"),
        (HEAD + "[[host]]\nname='a'\naddress = 'root@-oX'", "lab.toml: key host[0].address: expected HOST, user@HOST"),
        (HEAD + HOST + "domain = 'rack'", "lab.toml: key host gpu01.domain and 2 more: expected a [[domain]]"),
        (HEAD + HOST + "domain = 'rack_a'\n[[domain]]\nname='rack-a'",
         "lab.toml: key host gpu01.domain and 2 more: expected a [[domain]] of this file, got 'rack_a' (did you mean"),
        (HEAD + HOST + "[[domain]]\nname='a'\nwithin='b'\n[[domain]]\nname='b'\nwithin='c'\n[[domain]]\nname='c'\n"
         "within='a'", "lab.toml: key domain: expected a tree, got a cycle: a within b within c within a"),
        (HEAD + HOST + "[[domain]]\nname='a'\nwithin='a'",
         "lab.toml: key domain: expected a tree, got a cycle: a within a"),
        (HEAD + HOST + "[[domain]]\nname='a'\n[[domain]]\nname='a'",
         "lab.toml: key domain[1].name: expected each name once"),
        (HEAD + HOST + "[[meter]]\nname='m'\nspec='x:y'\nread_by='gpu1'\ncovers=['gpu02']",
         "lab.toml: key meter[0].read_by: expected a host of this file, got 'gpu1' (did you mean"),
        (HEAD + HOST + "[[meter]]\nname='m'\nspec='x:y'\nread_by='gpu01'\ncovers=['gpu[02-09]']",
         "lab.toml: key meter[0].covers: expected a host or miner of this file, got 'gpu04'"),
        (HEAD + HOST + "[[miner]]\nname='s21'\naddress='x'\nfrom='gpu9'",
         "lab.toml: key miner s21.from: expected a host of this file, got 'gpu9'"),
        (HEAD + HOST + "meters = ['shelly:admin:hunter2@192.0.2.9']",
         "lab.toml: key host[0].meters: expected a meter without a password (the host's own environment holds it)"),
        (HEAD + "clock_limit_s = -1\n" + HOST, "lab.toml: key lab.clock_limit_s: expected a number greater than 0"),
        (HEAD + '[[host]]\nname = "a\\u001b[2J"', "lab.toml: key host[0].name: expected text without control"),
        ("host = []\n" + HEAD, "lab.toml: key host: expected a host, got none"),
    ],
)  # fmt: skip
def test_each_fault_of_a_lab_file_is_one_line(text, line):
    (got,) = faults(text)
    assert got.startswith(line)
    assert "hunter2" not in got


def test_all_faults_are_named_at_once():
    text = (
        HEAD
        + HOST
        + "[[host]]\nname='gpu01'\n[[domain]]\nname='a'\nwithin='a'\n[[miner]]\nname='m'\naddress='x'\nfrom='y'"
    )
    assert len(faults(text)) == 3


def test_an_ssh_configuration_begins_at_the_folder_of_the_lab_file(tmp_path):
    (tmp_path / "lab.toml").write_text(HEAD + "ssh_config = 'ssh/config'\n" + HOST)
    assert read_lab(tmp_path / "lab.toml").ssh_config == tmp_path / "ssh" / "config"
