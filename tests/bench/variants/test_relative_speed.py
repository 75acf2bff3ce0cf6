"""The speed of a variant over the fastest: of quiet pairs, or ungated with its word; the interval of a median."""

import random

import pytest

from bench.variants.relative_speed import median_interval, relative_speed
from bench.variants.slices import VariantSlice


def part(cycles, quiet=True):
    return VariantSlice(1e9 / cycles, cycles, 3e9, quiet)


def test_the_speed_over_the_fastest_is_that_of_quiet_pairs_where_there_are_enough():
    slices = [part(110.0)] * 50 + [part(300.0, quiet=False)] * 40
    speed = relative_speed(slices, [part(100.0)] * 90, 50)
    assert (speed.ratio, speed.interval, speed.quiet, speed.pairs) == (
        pytest.approx(100 / 110), (pytest.approx(100 / 110),) * 2, True, 50,
    )  # fmt: skip
    assert speed.document()["reason"] is None


def test_with_too_few_quiet_pairs_the_ratio_is_ungated_and_says_so():
    slices = [part(110.0)] * 49 + [part(200.0, quiet=False)] * 60
    speed = relative_speed(slices, [part(100.0)] * 109, 50)
    assert (speed.ratio, speed.quiet, speed.pairs) == (0.5, False, 109)
    assert speed.document()["reason"] == "not quiet: ungated"


def test_without_a_clock_the_rates_are_compared():
    one, other = (VariantSlice(rate, None, None, False) for rate in (1e6, 4e6))
    assert relative_speed([one], [other], 50).ratio == 0.25


def test_the_interval_of_a_median_covers_it_in_95_of_100_samples():
    generator = random.Random(1)
    for count in (6, 20, 51):
        samples = ([generator.lognormvariate(0.0, 0.5) for _ in range(count)] for _ in range(2000))
        intervals = [median_interval(sample) for sample in samples]
        assert sum(low <= 1.0 <= high for low, high in intervals) >= 0.945 * 2000
    assert median_interval([1.0] * 5) is None
