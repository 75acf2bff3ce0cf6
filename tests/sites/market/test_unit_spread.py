"""Units of a site that were not measured: the interval of their mean, and what a reader is told of them."""

import math
from dataclasses import replace

import pytest

from sites.market.device_rate import DeviceRate
from sites.market.unit_spread import UnitMean, UnitSpread

MEAN = UnitMean(
    measured=4, spread_frac=0.02, weight_frac=0.25, u_own_frac=0.0, u_common_frac=0.0, inflation=1.0, quantile=3.18,
)  # fmt: skip
RATE = DeviceRate(
    name="fleet:w/M", unit="hash", rate_per_s=2e14, rate_interval_per_s=(1.9e14, 2.1e14), power_w=3500.0,
    power_interval_w=(3400.0, 3600.0), boundary="wall", basis="measured", power_basis="measured",
    confidence="one_source", source="measured here", plan="quick", spread=UnitSpread(MEAN, None),
)  # fmt: skip


def half_frac(units, **changes):
    low, high = replace(MEAN, **changes).interval(100.0, units)
    return math.log(high / low) / 2.0


def test_the_spread_adds_its_variance_times_one_over_measured_less_one_over_units():
    assert half_frac(8) == pytest.approx(3.18 * 0.02 * math.sqrt(1 / 4 - 1 / 8))
    assert half_frac(1e9) == pytest.approx(3.18 * 0.02 / 2.0)
    assert half_frac(4) == 0.0
    assert half_frac(1) == pytest.approx(3.18 * 0.02 * math.sqrt(1 - 1 / 4))  # one of the four, nobody knows which


def test_the_error_of_a_shared_meter_stays_whatever_the_number_of_units():
    assert half_frac(4, u_common_frac=0.01) == pytest.approx(0.0196, rel=1e-3)


def test_a_rate_of_a_site_has_the_interval_of_its_units():
    assert RATE.of_units(4).rate_interval_per_s == (2e14, 2e14)
    assert RATE.of_units(7831).rate_interval_per_s == MEAN.interval(2e14, 7831)
    assert RATE.of_units(7831).power_interval_w == RATE.power_interval_w


def test_one_unit_says_that_the_spread_is_unknown_and_several_say_how_large_it_is():
    assert RATE.units_words(7831).startswith("4 measured units stand for 7,831; spread between units of the rate 2.00%")
    alone = replace(RATE, spread=None)
    assert alone.units_words(7831).startswith("one measured unit stands for 7,831: the spread between units is unknown")
    assert alone.units_words(1) == ""
    assert replace(alone, plan="").units_words(7831) == ""
