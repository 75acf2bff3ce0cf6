"""A state folder of the test's own, in which journals stand."""

import pytest


@pytest.fixture(autouse=True)
def state(tmp_path, monkeypatch):
    """The folder of the journals."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    return tmp_path / "state" / "perwatt" / "levers"
