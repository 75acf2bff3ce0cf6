"""Miners on loopback."""

import pytest
from doubles.miners.server import FakeMiner

from bench.miners.link import Address
from bench.miners.reader import Miner


@pytest.fixture(autouse=True)
def without_pauses(monkeypatch):
    """Connect again at once: a fake miner needs no rest."""
    monkeypatch.setattr("bench.miners.link.PAUSE_S", 0.0)
    monkeypatch.setattr("bench.miners.identify.PAUSE_S", 0.0)


@pytest.fixture
def fake_miner():
    """Start a fake miner, and close it after the test."""
    made = []

    def make(replies, **settings):
        made.append(FakeMiner(replies, **settings))
        return made[-1]

    yield make
    for one in made:
        one.close()


@pytest.fixture
def poll(fake_miner):
    """Poll a fake miner once, which answers with some replies."""

    def read(family, replies, *, more_ports=None, login=None, **settings):
        fake = fake_miner(replies, **settings)
        ports = {family.port: fake.port, **(more_ports or {})}
        return Miner(Address("127.0.0.1"), family, login, ports=ports).poll()

    return read
