"""The levels of a swept miner as the device of a site: marginal modes, with intervals over the visits."""

import json

import numpy as np
import pytest
from doubles.sweep.records import a_visit

from bench.device_rates import resolve_device
from bench.results.record import Reason
from bench.results.writing import write_record
from hardware_profiles.errors import InputError
from sites.file.block_tables import MiningTable
from sites.file.build_blocks import mining_block

LEVELS = {"on": (110e12, 3300.0), "2500W": (95e12, 2500.0), "1800W": (74e12, 1900.0), "2200W": (76e12, 2300.0)}


@pytest.fixture
def store(tmp_path):
    """A sweep there and back over four levels whose visits differ by 0.5 %."""
    random = np.random.default_rng(3)
    for number, level in enumerate(["on", "2500W", "2200W", "1800W", "2200W", "2500W", "on"]):
        rate, power = (figure * random.normal(1.0, 0.005) for figure in LEVELS[level])
        rates, powers = (figure * random.normal(1.0, 0.001, 3) for figure in (rate, power))
        write_record(tmp_path, a_visit(level, number * 1200.0, list(rates), list(powers), number=number), [])
    return tmp_path


def id_of(store):
    return min(path.name for path in store.iterdir() if path.is_dir())


def test_each_level_is_a_point_with_the_mean_of_its_visits(store):
    curve = resolve_device(f"curve:{id_of(store)}", store=store)
    assert [point.load for point in curve.points] == ["1800W", "2200W", "2500W", "on"]
    for point in curve.points:
        rate, power = LEVELS[point.load]
        assert point.rate.rate_per_s == pytest.approx(rate, rel=0.015)
        assert point.rate.power_w == pytest.approx(power, rel=0.015)
        for value, interval in (
            (rate, point.rate.rate_interval_per_s),
            (power, point.rate.power_interval_w),
            (power / rate, point.energy_interval_j_per_token),
        ):
            assert interval[0] < value < interval[1]
    assert "mean of 2 visits" in curve.points[3].rate.source


def test_sweep_is_the_older_name_of_the_same(store):
    old, new = (resolve_device(f"{prefix}:{id_of(store)}", store=store) for prefix in ("sweep", "curve"))
    assert old.points == new.points


def test_a_mining_block_takes_the_levels_as_marginal_modes(store):
    name = f"curve:{id_of(store)}"
    table = MiningTable.model_validate({"name": "miners", "device": name, "count": 10, "pool_fee_percent": 0})
    block = mining_block(table, lambda one: resolve_device(one, store=store), "site.toml", 1.05, 10.0)
    assert [step.name for step in block.margins] == ["1800W", "2500W", "on"], "a mix of two others beats 2200W"
    assert block.rate.name == name
    assert block.rate.rate_interval_per_s is not None
    per_joule = [step.rate_per_s / step.power_w for step in block.margins]
    assert per_joule == sorted(per_joule, reverse=True)


def test_an_invalid_visit_is_no_point_and_is_named(store):
    bad = a_visit("1000W", 9000.0, [1e12], [500.0], number=9)
    bad = bad.model_copy(
        update={"status": "invalid", "reasons": (Reason(code="too_hot"),), "metrics": {}, "windows": ()}
    )
    write_record(store, bad, [])
    assert resolve_device(f"curve:{id_of(store)}", store=store).invalid == ("1000W: invalid (too_hot)",)


def test_a_result_that_is_of_no_sweep_is_refused(store):
    other = a_visit("on", 99000.0, [1e12, 1.01e12], [500.0, 501.0], number=7, run="other")
    plain = other.model_copy(update={"device": other.device.model_copy(update={"settings": {}})})
    write_record(store, plain, [])
    with pytest.raises(InputError, match="expected a result of `perwatt run endpoint`"):
        resolve_device(f"curve:{plain.id}", store=store)


def test_a_sweep_does_not_mix_with_the_fleet(store):
    from bench.fleet.measurements import measurements
    from bench.results.folder import read_record

    records = [read_record(path) for path in store.iterdir() if path.is_dir()]
    for record in records:
        record.device.settings["unit"] = "s1"
    models = {json.dumps(one.model.settings) for one in measurements(records).counted}
    assert len(models) == len(LEVELS)
