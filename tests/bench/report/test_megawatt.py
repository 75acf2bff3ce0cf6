"""The chart of one megawatt with each device: a bar a device, in words too; without a price it is named, not drawn."""

import dataclasses

import pytest

from bench.main_job import surroundings
from bench.report import collect
from bench.report.page import build
from sites.perspective.one_device import each_megawatt


@pytest.fixture(scope="module")
def devices(tmp_path_factory):
    return each_megawatt(list(surroundings(tmp_path_factory.mktemp("store")).alone.values()), 64)


def test_every_device_with_a_price_has_a_bar_that_says_its_levels(devices, tmp_path):
    page = build(dataclasses.replace(collect([], [""], tmp_path), catalogue=(), megawatts=devices))
    assert 'id="megawatt"' in page
    priced = [device for device in devices if device.net_after_capital_usd is not None]
    assert len(priced) >= 3
    for device in priced:
        assert f"{device.name} · " in page
    assert "logarithmic beyond 0.2" in page


def test_a_device_without_a_price_is_named_and_not_drawn(devices, tmp_path):
    unpriced = dataclasses.replace(devices[0], name="a new miner", net_after_capital_usd=None)
    page = build(dataclasses.replace(collect([], [""], tmp_path), catalogue=(), megawatts=(*devices, unpriced)))
    assert "Not drawn: a new miner, whose price is unknown" in page
    assert "a new miner · " not in page
