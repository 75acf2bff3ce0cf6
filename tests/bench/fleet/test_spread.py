"""The intervals of spread, mean and quantiles hold over many simulated fleets, also of few units and without spread."""

import math

import numpy as np
import pytest
from doubles.fleets.figures import drawn

from bench.fleet.errors import Figures, Weighted
from bench.fleet.spread import restricted_likelihood, spread

pytestmark = pytest.mark.slow
FLEETS = 300
LEAST = 0.91  # 95 % less what chance does to 300 fleets, and what few units cost (docs/evidence/fleet.md)
SMALL, LARGE = {"sd": 0.002}, {"sd": 0.02}
CASES = [
    ({"sd": 0.0}, 3), ({"sd": 0.0}, 8), ({"sd": 0.0}, 40), (SMALL, 3), (SMALL, 8), (SMALL, 40), (LARGE, 3), (LARGE, 8),
    (LARGE, 40), ({"sd": 0.01, "meter": 0.01, "meters": 1}, 8), ({"sd": 0.01, "meter": 0.01, "meters": 4}, 8),
    ({"sd": 0.01, "meter": 0.01, "meters": 8}, 8), ({"sd": 0.01, "work": 0.01, "work_spread": 1.0}, 8),
    ({"sd": 0.01, "window_sd_spread": 0.5}, 40),
]  # fmt: skip


@pytest.mark.parametrize(("fleet", "count"), CASES)
def test_the_intervals_cover_as_often_as_they_say(fleet, count):
    rng = np.random.default_rng(1)
    covered = np.zeros(4)
    for _ in range(FLEETS):
        figures, units = drawn(rng, count, **fleet)
        between = spread(figures)
        truths = [
            (between.sd_interval, fleet["sd"]),
            (between.mean_interval, math.exp(fleet["sd"] ** 2 / 2.0)),
            (between.quantiles()[0.95][1], math.exp(1.6448536 * fleet["sd"])),
        ]
        covered[:3] += [low <= truth <= high for (low, high), truth in truths]
        others = fleet["sd"] * rng.standard_normal(count)  # of a site with twice as many units, the measured among them
        covered[3] += abs(between.mean_log - (units.sum() + others.sum()) / (2 * count)) <= between.half_log(2 * count)
    assert (covered / FLEETS >= LEAST).all(), dict(zip(("sd", "mean", "q95", "site"), covered / FLEETS, strict=True))


def test_the_spread_is_neither_too_large_nor_too_small_in_the_mean():
    rng = np.random.default_rng(2)
    found = [spread(drawn(rng, 40, 0.01, work=0.01).figures).sd_frac for _ in range(200)]
    assert np.mean(np.square(found)) == pytest.approx(1e-4, rel=0.05)


def test_a_meter_that_all_units_share_is_no_spread_and_stays_in_the_mean():
    rng = np.random.default_rng(3)
    figures = drawn(rng, 40, 0.0, meter=0.05, meters=1).figures
    between = spread(figures)
    assert between.sd_frac < 0.003
    assert between.u_common_frac == pytest.approx(0.05)


def test_more_units_make_the_spread_surer_and_their_shared_meter_does_not_average_out():
    rng = np.random.default_rng(4)
    few, many = (spread(drawn(rng, count, 0.01, meter=0.01, meters=1).figures) for count in (4, 40))
    assert many.sd_interval[1] < few.sd_interval[1]
    assert many.u_common_frac == pytest.approx(few.u_common_frac)


def test_units_that_differ_less_than_their_errors_are_said_to_be_alike():
    figures = drawn(np.random.default_rng(5), 20, 0.0, window_sd=1e-5, work=0.01).figures
    alike = Figures(
        figures.logs * 0.01, figures.scatter, figures.scatter_dof, figures.moderated, figures.moderated_dof,
        figures.known, figures.group, figures.shared,
    )  # fmt: skip
    assert spread(alike).alike
    assert spread(alike).sd_interval == (0.0, 0.0)
    assert not spread(figures).alike


def test_the_linear_time_formulas_are_those_of_the_matrices():
    rng = np.random.default_rng(6)
    figures, between = drawn(rng, 9, 0.01, work=0.01, work_spread=0.5, meter=0.02, meters=3).figures, 3e-5
    members = np.equal.outer(figures.group, figures.group)
    inverse = np.linalg.inv(np.diag(figures.own + between) + members * figures.shared[0])
    row = inverse.sum(0)
    projector = inverse - np.outer(row, row) / row.sum()
    fitted = Weighted(figures, between)
    assert fitted.weights == pytest.approx(row / row.sum())
    assert fitted.projected == pytest.approx(projector @ figures.logs)
    assert fitted.scatter == pytest.approx(figures.logs @ projector @ figures.logs)
    assert (fitted.trace, fitted.trace_of_square) == pytest.approx((projector.trace(), (projector @ projector).trace()))
    expected = ((projector @ figures.logs)[4] / projector[4, 4], 1 / projector[4, 4])
    assert fitted.residual(4)[:2] == pytest.approx(expected)
    assert fitted.residual(4)[2] == pytest.approx((projector @ projector)[4, 4] / projector[4, 4] ** 2)


def test_equal_errors_give_the_analysis_of_variance():
    figures = drawn(np.random.default_rng(7), 12, 0.02).figures
    assert restricted_likelihood(figures) == pytest.approx(figures.logs.var(ddof=1) - figures.scatter[0], rel=1e-6)


def test_one_unit_has_no_spread():
    with pytest.raises(ValueError, match="two or more units"):
        spread(drawn(np.random.default_rng(8), 1, 0.0).figures)
