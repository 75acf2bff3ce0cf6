"""A slow, averaging, lagging meter leaves a bracket open, and the true moment lies in it."""

import math

import pytest

from bench.ramp.moments import Bracket, first_beyond, last_outside
from bench.ramp.rule import Meter
from bench.ramp.samples import Samples, plateau


def _samples(*pairs):
    return Samples.of(pairs)


def test_a_meter_of_ten_seconds_leaves_more_than_ten_seconds_open() -> None:
    samples = _samples((10.0, 0.0), (20.0, 0.0), (30.0, 100.0), (40.0, 100.0))
    moment = first_beyond(samples, 0.0, lambda w: w > 60, lambda w: w < 40, Meter(10.0, 10.0))
    assert moment == Bracket(0.0, 30.0)


def test_nothing_happens_before_the_command() -> None:
    samples = _samples((11.0, 0.0), (12.0, 100.0))
    moment = first_beyond(samples, 10.5, lambda w: w > 60, lambda w: w < 40, Meter(1.0, 1.0))
    assert moment == Bracket(10.5, 12.0)


def test_a_threshold_that_is_never_passed_gives_no_moment() -> None:
    assert first_beyond(_samples((1.0, 50.0)), 0.0, lambda w: w > 60, lambda w: w < 40, Meter(1.0, 0.0)) is None


def test_a_band_counts_only_from_the_last_sample_outside_it() -> None:
    samples = _samples((1.0, 0.0), (2.0, 100.0), (3.0, 200.0), (4.0, 100.0), (5.0, 100.0))
    moment = last_outside(samples, 0.0, lambda w: abs(w - 100) > 50, lambda w: abs(w - 100) < 20, Meter(0.5, 0.0))
    assert moment == Bracket(2.5, 4.0)


def test_a_value_between_inside_and_outside_moves_neither_bound_alone() -> None:
    samples = _samples((1.0, 0.0), (2.0, 70.0), (3.0, 100.0))
    moment = last_outside(samples, 0.0, lambda w: w < 50, lambda w: w > 80, Meter(0.0, 0.0))
    assert moment == Bracket(1.0, 3.0)


def test_a_quantity_that_ends_outside_has_no_moment() -> None:
    samples = _samples((1.0, 100.0), (2.0, 0.0))
    assert last_outside(samples, 0.0, lambda w: w < 50, lambda w: w > 80, Meter(0.0, 0.0)) is None


def test_a_failed_reading_is_missing_and_never_zero() -> None:
    assert Samples.of([(2.0, 5.0), (1.0, None), (3.0, math.nan)]) == Samples((2.0,), (5.0,))


def test_the_integral_interpolates_its_edges() -> None:
    samples = _samples((0.0, 0.0), (10.0, 100.0))
    assert samples.integral(2.0, 4.0) == pytest.approx(60.0)


def test_a_slow_drift_is_not_taken_for_noise() -> None:
    level = plateau(Samples(tuple(map(float, range(60))), tuple(1000.0 + second for second in range(60))))
    assert level is not None
    assert level.sd < 1.0
    assert level.drift == pytest.approx(30.0)


def test_five_samples_are_no_plateau() -> None:
    assert plateau(Samples((0.0, 1.0, 2.0, 3.0, 4.0), (1.0,) * 5)) is None
