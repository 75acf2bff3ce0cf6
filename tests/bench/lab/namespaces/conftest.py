"""Skip, with the reason, where hosts cannot be namespaces."""

import pytest
from doubles.namespaces.lab import FAKETIME, why_not


@pytest.fixture(autouse=True)
def namespaces():
    if reason := why_not():
        pytest.skip(reason)


@pytest.fixture
def faketime():
    if FAKETIME is None:
        pytest.skip("libfaketime is not installed")
