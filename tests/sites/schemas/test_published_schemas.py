"""The published JSON Schemas are those that the readers give today."""

import pytest

from sites.schemas import KINDS, schema_path
from sites.schemas.generate import as_text


@pytest.mark.parametrize("kind", KINDS)
def test_the_published_schema_is_that_of_the_reader(kind):
    again = "python -m sites.schemas.generate writes them anew"
    assert schema_path(kind).read_text(encoding="utf-8") == as_text(kind), again
