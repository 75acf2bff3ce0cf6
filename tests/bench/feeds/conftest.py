"""A chain of block headers for the tests."""

import pytest
from doubles.feeds.chain import chain


@pytest.fixture
def headers():
    return chain()
