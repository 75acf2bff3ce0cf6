"""The chart of one device alone: a bar a device, in words too; what is not worth running is named, not drawn."""

import dataclasses

import pytest

from bench.main_job import surroundings
from bench.report import collect
from bench.report.page import build
from sites.scenarios.one_device import each_alone


@pytest.fixture(scope="module")
def devices(tmp_path_factory):
    return each_alone(list(surroundings(tmp_path_factory.mktemp("store")).alone.values()), 64)


def test_every_device_has_a_bar_that_says_its_levels(devices, tmp_path):
    page = build(dataclasses.replace(collect([], [""], tmp_path), catalogue=(), alone=devices))
    assert 'id="alone"' in page
    for device in devices:
        assert f"{device.name} · " in page
    assert "logarithmic above 10" in page


def test_a_device_that_never_pays_is_named_and_not_drawn(devices, tmp_path):
    nothing = dataclasses.replace(devices[0].spread, p99=0.0, p90=0.0, p50=0.0, p10=0.0, p01=0.0)
    still = dataclasses.replace(devices[0], name="an old miner", spread=nothing)
    page = build(dataclasses.replace(collect([], [""], tmp_path), catalogue=(), alone=(*devices, still)))
    assert "Not drawn: an old miner, which earns less than its power costs in every hour." in page
    assert "an old miner · " not in page
