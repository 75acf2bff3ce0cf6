"""Miners on loopback."""

import pytest
from doubles.miners.server import FakeMiner


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
