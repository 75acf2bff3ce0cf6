"""`perwatt levers`: a stranger sees what was left set, and brings it back with one command."""

import json
import shlex
import sys
from pathlib import Path

import pytest
from doubles import levers as doubles

from bench.levers.journal import Device, Journal, pending

SCRIPT = Path(doubles.__file__).with_name("hook.py")
WHO = "sweep hook:rack"


@pytest.fixture
def ended(perwatt):
    """Run `perwatt levers` and expect an exit status."""

    def call(*words, status=0):
        done = perwatt("levers", *words)
        assert done.returncode == status, (done.stdout, done.stderr)
        return done

    return call


@pytest.fixture
def left_set(tmp_path):
    """Two devices that a killed program left off; the second one's hook fails."""
    devices = []
    for name, habit in (("a", "honest"), ("b", "fails")):
        file = tmp_path / f"{name}.json"
        file.write_text(json.dumps({"level": "off"}))
        address = shlex.join([sys.executable, "-I", str(SCRIPT), str(file), habit])
        devices.append((Device("hook", address, {}, None if name == "b" else "rack-7"), file))
    with Journal(WHO) as journal:
        for device, _ in devices:
            journal.hold(device, {"level": "on", "fans": 40}, "on")
    return devices


@pytest.mark.usefixtures("left_set")
def test_what_was_left_set_is_listed_with_who_set_it(ended):
    shown = ended("list").stdout
    assert "Not brought back yet" in shown
    assert "perwatt levers restore" in shown
    document = json.loads(ended("list", "--json").stdout)
    assert [(row["set_by"], row["level_as_found"], row["running"]) for row in document["pending"]] == [
        (WHO, "on", False)
    ] * 2


def test_restore_brings_back_what_it_can_and_lists_the_rest_with_its_reason(ended, left_set):
    done = ended("restore", "--deadline-s", "1", status=1)
    assert json.loads(left_set[0][1].read_text()) == {"level": "on", "fans": 40}
    assert "not_shown" in done.stderr
    assert "1 device of 2 could not be brought back" in done.stderr
    assert [entry.device.identity for entry in pending()] == [None]
    ended("restore", "--forget", left_set[1][0].address)
    assert ended("restore").stdout == "Every device that was set is as it was found.\n"


@pytest.mark.usefixtures("left_set")
def test_what_a_program_that_runs_has_set_is_left_to_it(ended):
    with Journal(WHO):
        assert f"left to the programs that run: {WHO}" in ended("restore").stdout
        done = ended("restore", "rack-7", status=1)
        assert "expected no other process that does the same work" in done.stderr
    assert len(pending()) == 2


@pytest.mark.parametrize("words", [("x",), ("--forget",)])
def test_a_device_that_is_none_is_one_line(ended, words):
    assert ended("restore", *words, status=2).stderr.startswith("error: ")


@pytest.mark.usefixtures("left_set")
def test_the_doctor_names_what_was_left_set(perwatt):
    shown = " ".join(perwatt("doctor").stdout.split())
    assert shown.count(f"{WHO} set it at ") == shown.count("perwatt levers restore") == 2
    assert len(json.loads(perwatt("doctor", "--json").stdout)["devices_not_brought_back"]) == 2
