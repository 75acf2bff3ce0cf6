"""Skip what only the whole suite of faults tries, and, with the reason, where hosts cannot be namespaces."""

import pytest
from doubles.namespaces.lab import why_not
from faults.command import WHOLE


@pytest.fixture(autouse=True, scope="module")
def real_hosts():
    if not WHOLE:
        pytest.skip("only `make faults` tries it: minutes of real hosts")
    if reason := why_not():
        pytest.skip(reason)
