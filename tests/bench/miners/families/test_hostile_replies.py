"""Replies with any value in any place: a record comes out, in time, and no exception."""

import copy
import json
import math
from dataclasses import asdict

import pytest
from doubles.miners import antminer, avalon, descendants, rest, whatsminer
from doubles.miners.axeos import info, nerd_info
from doubles.miners.unit import Unit
from hypothesis import given, settings
from hypothesis import strategies as st

from bench.miners.families import load
from bench.miners.parsing.text_form import read_text_form
from bench.miners.reply import Reply

UNIT = Unit()
REPLIES = {
    "axeos": {"info": info(UNIT), "asic": {"asicCount": 1}},
    "axeos of a NerdAxe": {"info": nerd_info(UNIT)},
    "luxos": descendants.luxos(UNIT),
    "braiins": descendants.braiins(UNIT),
    "braiins over REST": rest.braiins_rest(UNIT),
    "vnish": rest.vnish(UNIT),
    "epic": rest.epic(UNIT),
    "sealminer": descendants.sealminer(UNIT),
    "auradine": descendants.auradine(UNIT),
    "proto": rest.proto(UNIT),
    "antminer": {**antminer.s19_pro(), "miner_power": "miner power:3250", "get_miner_conf": antminer.MINER_CONF},
    "antminer of 2025": {**antminer.s21(), "stats": antminer.s21()["stats new_api"]},
    "whatsminer of API 1": whatsminer.v1(),
    "whatsminer of API 2": {**whatsminer.v2(), "get_error_code": {"Msg": {"error_code": [{"218": "2024-06-15"}]}}},
    "whatsminer-v3": {name.split()[-1].replace("get.device.info", "device"): reply
                      for name, reply in whatsminer.v3().items()},
    "avalon": avalon.a1246(),
    "avalon in its text form": {name: read_text_form(reply.encode()) for name, reply in avalon.a1346().items()},
    "avalon that is idle": avalon.q_idle(),
}  # fmt: skip
WRONG = st.one_of(
    st.none(), st.booleans(), st.integers(-(10**30), 10**30), st.floats(), st.text(max_size=20),
    st.sampled_from([[], {}, [None], [[]], {"a": {}}, "N/A", "-1", "1e999", "NaN", -1, 0, 1e308, "12.5 W", "\ud800"]),
    st.lists(st.integers(), max_size=3), st.dictionaries(st.text(max_size=5), st.integers(), max_size=3),
)  # fmt: skip


def places(document, path=()):
    """Yield the paths to all values of a document."""
    yield path
    rows = document.items() if isinstance(document, dict) else enumerate(document) if isinstance(document, list) else ()
    for key, value in rows:
        yield from places(value, (*path, key))


def put(document, path, value):
    if not path:
        return value
    document[path[0]] = put(document[path[0]], path[1:], value)
    return document


def parse(family, documents):
    return load(family.partition(" ")[0]).parse(
        {name: Reply(name, document=document) for name, document in documents.items()}
    )


@pytest.mark.slow
@pytest.mark.parametrize("family", REPLIES)
@given(data=st.data())
@settings(max_examples=60, deadline=None)
def test_any_value_in_any_place_gives_a_record(family, data):
    documents = copy.deepcopy(REPLIES[family])
    for _ in range(data.draw(st.integers(1, 4))):
        paths = [path for path in places(documents) if path]
        put(documents, data.draw(st.sampled_from(paths)), copy.deepcopy(data.draw(WRONG)))
    reading = parse(family, documents)
    figures = [rate.rate_h_s for rate in reading.rates] + [power.power_w for power in reading.powers]
    assert all(figure >= 0.0 and math.isfinite(figure) for figure in figures)
    assert all("\n" not in line for line in reading.warnings)
    json.dumps(asdict(reading), allow_nan=False)


@pytest.mark.parametrize("family", REPLIES)
def test_replies_that_are_missing_give_an_empty_record(family):
    reading = parse(family, dict.fromkeys(REPLIES[family], None))
    assert reading.rates == ()
    assert reading.powers == ()
    assert parse(family, {}).rates == ()


@pytest.mark.parametrize("family", REPLIES)
def test_every_single_value_may_be_missing(family):
    documents = REPLIES[family]
    for path in places(documents):
        if len(path) > 1:
            parse(family, put(copy.deepcopy(documents), path, None))


@pytest.mark.parametrize("family", REPLIES)
def test_a_number_at_the_end_of_the_range_gives_no_infinite_figure(family):
    def largest(value):
        if isinstance(value, dict):
            return {key: largest(one) for key, one in value.items()}
        if isinstance(value, list):
            return [largest(one) for one in value]
        return 1e308 if isinstance(value, int | float) and not isinstance(value, bool) else value

    reading = parse(family, {name: largest(document) for name, document in REPLIES[family].items()})
    json.dumps(asdict(reading), allow_nan=False)
