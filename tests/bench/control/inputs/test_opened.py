"""All inputs together: tables, canonical snapshots, and a loop that pays nothing and is never stopped."""

import json
import time

import jsonschema
import pytest

from bench.control.inputs import PriceTable, Targets, TargetTable, inputs_of, snapshot, snapshot_sha256
from bench.control.inputs.looker import Looker
from hardware_profiles.errors import InputError
from hardware_profiles.reading import validate
from hardware_profiles.tables import Table
from sites.control.model import Inputs, LoadTarget, Price

from .conftest import NOW
from .test_prices import DESCRIBED, write


@pytest.mark.parametrize(
    ("kind", "table", "message"),
    [
        (PriceTable, {"source": "ftp://x"}, "key source: expected file:PATH or an address"),
        (PriceTable, {"source": "file:x", "currency": "EUR"}, "expected currency_per_usd"),
        (PriceTable, {"source": "file:x", "poll_s": 0}, "key poll_s"),
        (PriceTable, {"source": "file:x", "pol_s": 5.0}, "poll_s"),
        (TargetTable, {"source": "kafka:x"}, "expected mqtt:HOST, openadr:URL or file:PATH"),
        (TargetTable, {"source": "mqtt:10.0.0.9"}, "key full_mw: expected the megawatts that 100 percent is"),
        (TargetTable, {"source": ["file:a", "file:b"]}, "only mqtt has two brokers"),
        (TargetTable, {"source": ["mqtt:a", "file:b"], "full_mw": 1.0}, "expected mqtt:HOST"),
        (TargetTable, {"source": "file:a", "full_mw": 1.0}, "key full_mw: expected this key only with mqtt:"),
        (TargetTable, {"source": "openadr:http://x"}, "key payloads: expected the types of payload"),
        (TargetTable, {"source": "openadr:http://x", "payloads": ["SIMPLE"]}, "expected simple_mw with the payload"),
        (TargetTable, {"source": "openadr:http://x", "payloads": ["PRICE"]}, "payloads"),
    ],
)
def test_a_faulty_table_is_refused_by_its_key(kind, table, message):
    with pytest.raises(InputError) as refused:
        validate(kind, table, "control.toml")
    assert message in str(refused.value)
    assert "control.toml" in str(refused.value)


class _File(Table):
    price: PriceTable | None = None
    target: Targets = ()


@pytest.mark.parametrize(
    ("content", "count"),
    [
        ({}, 0),
        ({"price": {"source": "file:x"}, "target": {"source": "file:a"}}, 1),
        ({"target": [{"source": ["mqtt:a", "mqtt:b"], "full_mw": 1.0}, {"source": "file:a"}]}, 2),
    ],
)
def test_one_table_of_targets_and_several_are_read_and_fit_their_json_schema(content, count):
    jsonschema.validate(content, _File.model_json_schema())
    assert len(validate(_File, content, "control.toml").target) == count


@pytest.mark.parametrize("content", [{"target": "file:a"}, {"target": {"source": 5}}, {"target": [{"source": []}]}])
def test_what_is_no_table_of_targets_is_refused_and_does_not_fit_the_schema(content):
    with pytest.raises(InputError):
        validate(_File, content, "control.toml")
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(content, _File.model_json_schema())


EVERYTHING = Inputs(
    prices=(Price(-0.1, NOW, NOW + 300, NOW + 1 / 3, "fil€"),),
    targets=(LoadTarget(0.1 + 0.2, NOW, None, NOW, "mqtt:a"), LoadTarget(0.0, NOW, NOW + 1, NOW, "x")),
    faults=("one", "two"),
    targets_lost=True,
)


@pytest.mark.parametrize("inputs", [Inputs(), EVERYTHING])
def test_a_snapshot_gives_the_same_inputs_back_bit_for_bit(inputs):
    assert inputs_of(json.loads(snapshot(inputs))) == inputs
    assert snapshot(inputs_of(json.loads(snapshot(inputs)))) == snapshot(inputs)


def test_a_snapshot_changes_with_the_content_and_with_nothing_else(tmp_path, opened):
    write(tmp_path, [(NOW, 30), (NOW + 3600, 40)])
    inputs = opened(DESCRIBED)
    first = snapshot_sha256(inputs.at(0))
    assert snapshot_sha256(inputs.at(30)) == first
    write(tmp_path, [(NOW, 30), (NOW + 3600, 41)])
    assert snapshot_sha256(inputs.at(60)) != first


def test_a_look_at_the_inputs_costs_the_loop_less_than_a_tenth_of_a_millisecond(tmp_path, opened):
    write(tmp_path, [(NOW + 300 * at, at) for at in range(-800, 800)])
    inputs = opened(DESCRIBED | {"minutes": 5})
    inputs.at(0)
    began_s = time.process_time()
    for tick in range(1000):
        inputs.now(NOW + tick % 20)
    assert time.process_time() - began_s < 0.5


def test_an_error_that_nobody_expected_is_a_fault_and_the_next_look_is_made():
    looks = []

    def look(now_s):
        looks.append(now_s)
        if len(looks) == 1:
            raise KeyError("torn\nline")

    looker = Looker("target x", look, 30.0)
    looker.tick(0.0)
    assert looker.wait(10.0)
    assert looker.fault.startswith("target x: cannot be read: KeyError")
    assert "\n" not in looker.fault
    looker.tick(29.0)
    looker.tick(30.0)
    assert looker.wait(10.0)
    assert (looks, looker.fault) == ([0.0, 30.0], "")
    looker.tick(-500.0)
    assert looker.wait(10.0)
    assert looks[-1] == -500.0, "a clock that went back does not silence a source"
    looker.close()
