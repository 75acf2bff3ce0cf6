"""A controller on a stepped twin of ten miners."""

import pytest
from doubles.control.driven import Driven
from doubles.twin.running import running_twin


@pytest.fixture
def driven(tmp_path):
    with running_twin(units=10) as twin:
        yield Driven(twin, tmp_path)
