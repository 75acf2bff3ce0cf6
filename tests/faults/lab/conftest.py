"""Skip, with the reason, where hosts cannot be namespaces, and what only the whole suite of faults tries."""

import pytest
from doubles.namespaces.lab import why_not
from faults.command import WHOLE


@pytest.fixture(autouse=True)
def namespaces(request):
    if not WHOLE and request.node.get_closest_marker("sampled") is None:
        pytest.skip("only `make faults` tries it: minutes of real hosts")
    if reason := why_not():
        pytest.skip(reason)
