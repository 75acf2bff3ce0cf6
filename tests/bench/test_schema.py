"""The published JSON Schema is that of the records this code writes."""

from bench.schema import PUBLISHED, as_text, record_schema


def test_the_published_schema_is_current():
    assert PUBLISHED.read_text(encoding="utf-8") == as_text(), "run: python -m bench.schema"


def test_the_schema_is_closed_and_versioned():
    schema = record_schema()
    assert schema["additionalProperties"] is False
    assert schema["properties"]["schema_version"]["const"] == 1
