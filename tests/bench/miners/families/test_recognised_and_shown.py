"""A machine of each family is recognised by what it answers, and `perwatt miner` shows it."""

import json
import socket

import pytest
from doubles.miners.unit import Unit

from bench.cli import main
from bench.miners.identify import identify
from bench.miners.link import CGMINER, WEB, Address

FAMILIES = ["axeos", "luxos", "braiins", "vnish", "epic", "sealminer", "auradine", "proto"]


@pytest.fixture
def closed_port():
    """Return a port on which nothing listens while the test runs."""
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        yield held.getsockname()[1]


@pytest.mark.parametrize("family", FAMILIES)
def test_a_machine_is_recognised_by_what_it_answers(machine, family, closed_port):
    made = machine(family)
    asked = WEB if family in {"axeos", "vnish", "proto"} else CGMINER
    ports = dict.fromkeys((4433, WEB, CGMINER, 8080), closed_port) | {asked: made.fake.port}
    assert identify(Address("127.0.0.1"), ports) == family


@pytest.mark.parametrize("family", [*FAMILIES, "axeos of 17 W"])
def test_the_command_shows_the_machine_as_text_and_as_json(machine, family, capsys, monkeypatch):
    name, _, small = family.partition(" ")
    unit = Unit(1.1e12, 17.0, difficulty=1024.0) if small else Unit()
    host = f"127.0.0.1:{machine(name, unit).fake.port}"
    for form in ([], ["--json"]):
        monkeypatch.setattr("bench.miners.reader._TURNS", {})  # no wait between the two polls
        with pytest.raises(SystemExit) as left:
            main(["miner", host, "--family", name, *form])
        assert left.value.code in (0, None), capsys.readouterr().err
    text, _, document = capsys.readouterr().out.partition("{")
    assert name in text or "TH/s" in text
    record = json.loads("{" + document)
    assert name in json.dumps(record)
    assert "secret" not in text + document
    assert "worker" not in text + document
