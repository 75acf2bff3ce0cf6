"""The published JSON Schema is that of the records this code writes."""

import copy
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from bench.results import schema
from bench.results.record import Record
from bench.results.schema import PUBLISHED, as_text, conforms, record_schema

RUN = {"run_id": "r", "plan": "quick", "argv": [], "started_utc": "2026-01-01T00:00:00Z",
       "ended_utc": "2026-01-01T00:00:09Z", "perwatt_version": "0", "commit": None}  # fmt: skip
WORKLOAD = {"name": "w", "version": 1, "unit": "hash", "variant": "", "parameters": {"threads": 2}, "verification": []}
ENERGY = {"meter": "m", "boundary": "wall", "tier": "B", "joules": 1.0, "samples": 3, "half_energies_j": [0.5, 0.5]}
WINDOW = {"index": 0, "start_utc": "2026-01-01T00:00:00.5+02:00", "start_s": 0, "end_s": 1.0, "work": 5.0,
          "batches": 1, "energy": [ENERGY]}  # fmt: skip
RECORD = Record.model_validate({
    "id": "a", "status": "ok", "run": RUN, "system": {"any": [1, None]}, "device": {"kind": "cpu", "name": "c"},
    "workload": WORKLOAD, "windows": [WINDOW], "artifacts": [{"name": "f", "sha256": "0" * 64, "size_bytes": 1}],
    "metrics": {"rate": {"value": 5.0, "unit": "hash/s", "basis": "measured", "n": 1, "interval_95": [4.0, 6.0]}},
}).model_dump(mode="json")  # fmt: skip
NAN = float("nan")
ODD = st.sampled_from(
    [None, True, 0, 1, -1, 0.5, NAN, 10**400, "", "x", "../x", "a\n", "\ud800", "measured", "2026-13-01T00:00:00Z",
     "2026-01-01", "2026-01-01T00:00:00Z", [], [1], [1, NAN], [2, 3], {}, {"x": 1}]
)  # fmt: skip


def places(value, place=()):
    yield place
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, found in inner:
        yield from places(found, (*place, key))


PLACES = [place for place in places(RECORD) if place]


def changed(place, value=..., extra=None):
    """Return the record with the value at a place replaced, or left out, or a key set beside it."""
    found = copy.deepcopy(RECORD)
    inner = found
    for key in place[:-1]:
        inner = inner[key]
    if extra is not None and isinstance(inner, dict):
        inner[extra] = 1
    if value is ...:
        del inner[place[-1]]
    else:
        inner[place[-1]] = value
    return found


def test_the_published_schema_is_current():
    assert PUBLISHED.read_text(encoding="utf-8") == as_text(), "run: python -m bench.results.schema"


def test_the_schema_is_closed_and_versioned():
    schema = record_schema()
    assert schema["additionalProperties"] is False
    assert schema["properties"]["schema_version"]["const"] == 1


def test_a_sound_record_conforms_without_pydantic():
    assert conforms(RECORD)
    assert conforms(json.loads(json.dumps(RECORD)))


@given(st.sampled_from(PLACES), st.one_of(st.just(...), ODD), st.sampled_from([None, "bogus"]))
def test_what_conforms_is_what_pydantic_takes(place, value, extra):
    found = changed(place, value, extra)
    if conforms(found):
        Record.model_validate(found)


@pytest.mark.parametrize(
    ("place", "value"),
    [
        (("schema_version",), 999), (("bogus",), 1), (("id",), "../../evil"), (("metrics", "rate", "value"), NAN),
        (("metrics", "rate", "value"), -5), (("windows", 0, "work"), -1), (("windows", 0, "energy", 0, "x"), 1),
        (("windows", 0, "end_s"), NAN), (("artifacts", 0, "name"), "../secret"), (("run", "started_utc"), "today"),
    ],
)  # fmt: skip
def test_what_is_faulty_neither_conforms_nor_validates(place, value):
    found = changed(place, value)
    assert not conforms(found)
    with pytest.raises(ValidationError):
        Record.model_validate(found)


def test_an_installation_without_the_published_schema_doubts_everything(monkeypatch, tmp_path):
    monkeypatch.setattr(schema, "PUBLISHED", tmp_path / "none.json")
    schema._published.cache_clear()
    try:
        assert not conforms(RECORD)
    finally:
        schema._published.cache_clear()
