"""Parts of blocks: profiles of demand, growth, modes as margins, and a table of carbon."""

import math
from dataclasses import replace
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hardware_profiles.errors import InputError
from sites.file.carbon import look_up, per_unit
from sites.hours.demand import log_growth_per_hour, over_mean, week_profile
from sites.market.device_rate import DeviceRate
from sites.modes import margins


@pytest.mark.parametrize("name", ["flat", "business", "evening"])
def test_a_week_profile_has_168_hours_of_mean_one(name):
    assert len(week_profile(name)) == 168
    assert math.fsum(week_profile(name)) == pytest.approx(168.0)


@pytest.mark.parametrize("shape", [[1.0] * 167, [0.0] * 168, [-1.0] * 168, [math.nan] * 168])
def test_a_shape_that_is_no_week_is_refused(shape):
    with pytest.raises(InputError, match="demand profile: expected"):
        over_mean(shape)


def test_growth_compounds_over_a_year_of_8766_hours():
    assert math.exp(log_growth_per_hour(0.6) * 8766) == pytest.approx(1.6)


def test_modes_become_margins_and_dominated_ones_fall_out(resolve):
    low, high = resolve("hydro: low"), resolve("hydro: high")
    steps = margins([high, low])
    assert [(step.power_w, step.rate_per_s) for step in steps] == [(3000.0, 200e12), (2400.0, 100e12)]
    poor = replace(low, name="poor", rate_per_s=100e12)
    assert margins([poor, high, low]) == steps
    with pytest.raises(InputError, match="expected at least one"):
        margins([])
    with pytest.raises(InputError, match="poor: expected a power"):
        margins([replace(poor, power_w=None)])


@given(st.lists(st.tuples(st.floats(100, 9000), st.floats(1, 900)), min_size=1, max_size=8))
def test_margins_are_ever_less_efficient_and_reach_the_best_mode(points):
    modes = [
        DeviceRate(f"m{i}", "hash", th * 1e12, None, watts, None, "wall", "rated", "rated", "unverified", "none")
        for i, (watts, th) in enumerate(points)
    ]
    steps = margins(modes)
    slopes = [step.rate_per_s / step.power_w for step in steps]
    assert all(a >= b * (1 - 1e-12) for a, b in pairwise(slopes))
    assert sum(step.rate_per_s for step in steps) == pytest.approx(max(mode.rate_per_s for mode in modes))


def test_a_carbon_table_is_looked_up_and_needs_a_source_in_every_row(tmp_path):
    path = tmp_path / "carbon.csv"
    path.write_text("region,kg_per_mwh,source,date\nhere,380,a page,2024\n", encoding="utf-8")
    assert look_up(path, "here") == 380.0
    with pytest.raises(InputError, match=r"key region: expected the site's region, got 'her' .did you mean here"):
        look_up(path, "her")
    path.write_text("region,kg_per_mwh,source,date\nhere,380,,2024\n", encoding="utf-8")
    with pytest.raises(InputError, match="line 2: key source: expected a value"):
        look_up(path, "here")
    path.write_text("region,kg_per_mwh,source,date\nhere,-3,x,2024\n", encoding="utf-8")
    with pytest.raises(InputError, match="line 2: key kg_per_mwh: expected a number of 0 to 10,000 kg/MWh"):
        look_up(path, "here")
    with pytest.raises(InputError, match="expected a readable carbon table"):
        look_up(tmp_path / "none.csv", "here")
    assert per_unit(10.0, 0.0) is None
    assert per_unit(10.0, 5.0) == 2.0
