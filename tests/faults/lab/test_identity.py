"""A host that is not what it was, or answers for another: it is named, and nothing is measured under its name."""

import os
import sys

import pytest
from doubles.namespaces.lab import make_key, write_known_hosts
from doubles.namespaces.operator_machine import operator

pytestmark = pytest.mark.slow

RUN = ("lab", "run", "lab.toml", "--plan", "smoke", "matmul_f32_cpu")


@pytest.fixture
def machine(tmp_path):
    with operator(tmp_path, {"one": None, "two": None}) as machine:
        yield machine


def codes(check, name):
    """Return the reasons why a host is not ok."""
    assert check[name]["ok"] == (not check[name]["reasons"])
    return {reason["code"] for reason in check[name]["reasons"]}


def test_a_host_with_another_ssh_key_is_refused_until_its_key_is_known_and_accepted(machine):
    assert codes(machine.check(), "two") == set()
    replace_key(machine, "two")
    check = machine.check()
    assert codes(check, "one") == set()
    assert codes(check, "two") == {"host_changed"}
    write_known_hosts(machine.lab.folder, machine.lab.hosts.values())
    assert codes(machine.check(), "two") == {"host_changed"}  # ssh takes the key, the pin of the lab does not
    assert codes(machine.check("--accept", "two"), "two") == set()


def test_a_host_with_another_machine_id_is_refused_until_it_is_accepted(machine):
    machine.check()
    machine.lab.hosts["two"].machine_id.write_text(f"{os.urandom(16).hex()}\n")
    assert codes(machine.check(), "two") == {"host_changed"}
    assert codes(machine.check("--accept", "two"), "two") == set()
    assert codes(machine.check(), "two") == set()


def test_two_names_with_one_address_are_refused(machine):
    lab = machine.folder / "lab.toml"
    lab.write_text(lab.read_text().replace("10.88.0.12", "10.88.0.11"))
    assert "same_machine" in codes(machine.check(), "two")


def test_a_clone_with_the_machine_id_of_another_is_refused(machine):
    machine.lab.hosts["two"].machine_id.write_text(machine.lab.hosts["one"].machine_id.read_text())
    assert codes(machine.check(), "two") == {"same_machine"}


def test_hosts_that_answer_for_one_another_measure_nothing(machine):
    machine.check()
    one, two = (machine.lab.hosts[name].machine_id for name in ("one", "two"))
    first, second = one.read_text(), two.read_text()
    one.write_text(second)
    two.write_text(first)
    check = machine.check()
    assert codes(check, "one") == codes(check, "two") == {"answers_for"}
    done = machine.perwatt(*RUN)
    assert done.returncode == 1, (done.stdout, done.stderr)
    rows = machine.coverage()["measurements"]
    assert {(row["state"], row["code"]) for row in rows} == {("refused", "answers_for")}
    assert machine.results() == set()


def test_a_host_with_another_perwatt_is_refused(machine):
    python = machine.folder / "python"
    code = "import bench; bench.__version__ = '9.9.9'; from bench.__main__ import main; main()"
    python.write_text(f'#!/bin/sh\nshift 2\nexec {sys.executable} -c "{code}" "$@"\n')  # after -m bench
    python.chmod(0o755)
    lab = machine.folder / "lab.toml"
    head, _, rest = lab.read_text().rpartition(f'"{sys.executable}"')
    lab.write_text(f'{head}"{python}"{rest}')
    check = machine.check()
    assert codes(check, "one") == set()
    assert codes(check, "two") == {"version_differs"}


def replace_key(machine, name):
    """Give a host another ssh key, as a new installation does."""
    host = machine.lab.hosts[name]
    host.kill()
    key = machine.lab.folder / f"{name}.key"
    key.unlink()
    make_key(key)
    machine.lab.boot(name)
