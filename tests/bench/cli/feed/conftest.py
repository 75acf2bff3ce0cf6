"""A chain of the tests, whose rules take the place of the main network's."""

import pytest
from doubles.feeds.chain import LIMIT, chain
from doubles.feeds.node import PASSWORD, USER, InventedBitcoind, InventedRest

from bench.feeds.difficulty import chain as rules


@pytest.fixture
def headers():
    return chain()


@pytest.fixture
def network(monkeypatch):
    """Let the command check the chain of the tests: the same rule with a trivial limit, and nothing bundled."""
    made = rules.Network(LIMIT, continues_bundled=False)
    monkeypatch.setattr(rules, "MAINNET", made)
    return made


@pytest.fixture
def serve():
    """Start a double, and close it after the test."""
    made = []

    def start(kind, *arguments, **changes):
        made.append(kind(*arguments, **changes))
        return made[-1]

    yield start
    for double in made:
        double.close()


@pytest.fixture
def node(serve, headers):
    return serve(InventedBitcoind, headers)


@pytest.fixture
def rest(serve, headers):
    return serve(InventedRest, headers)


@pytest.fixture
def cookie(tmp_path):
    path = tmp_path / ".cookie"
    path.write_text(f"{USER}:{PASSWORD}", encoding="utf-8")
    path.chmod(0o600)
    return path
