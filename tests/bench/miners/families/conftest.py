"""Machines of every family on loopback, and their readings over real sockets."""

import pytest
from doubles.miners import descendants, rest
from doubles.miners.axeos import FakeAxeOS
from doubles.miners.server import FakeMiner
from doubles.miners.unit import Unit

from bench.miners.families import load
from bench.miners.link import CGMINER, WEB, Address
from bench.miners.reader import Miner
from bench.network.login import Login

LOGIN = Login("root", "correct horse")


class Machine:
    """A fake machine and the reader of it, which does not wait between two polls."""

    def __init__(self, family, unit, fake, port, login=None):
        self.unit, self.fake = unit, fake
        family = "braiins" if family == "braiins_rest" else family
        self.miner = Miner(Address("127.0.0.1"), load(family), login, ports={port: fake.port}, sleep=lambda _: None)

    def poll(self):
        return self.miner.poll()

    def read(self):
        return self.poll().reading


@pytest.fixture
def machine(monkeypatch):
    """Start a machine of a family; settings go to its double."""
    monkeypatch.setattr("bench.miners.link.PAUSE_S", 0.0)
    made = []

    def make(family, unit=None, **settings):
        unit = unit or Unit()
        login = None
        if family == "axeos":
            fake, port = FakeAxeOS(unit, **settings), WEB
        elif family in rest.FAMILIES:
            fake, port = rest.serve(unit, family, **settings), CGMINER if family == "epic" else WEB
            login = LOGIN if family == "braiins_rest" else None
        else:
            fake, port = FakeMiner(descendants.commands(unit, family, **settings)), CGMINER
        made.append(fake)
        return Machine(family, unit, fake, port, login)

    yield make
    for fake in made:
        fake.close()
