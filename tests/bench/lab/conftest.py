"""Leases of each test are its own, as on a machine of its own."""

import pytest


@pytest.fixture(autouse=True)
def own_leases(tmp_path_factory, monkeypatch):
    monkeypatch.setenv("PERWATT_LOCKS", str(tmp_path_factory.mktemp("locks")))
