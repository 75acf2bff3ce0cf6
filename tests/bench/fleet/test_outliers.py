"""The test for outliers names no unit of a sound fleet more often than it says, and names units that are far off."""

import numpy as np
import pytest
from doubles.fleets.figures import drawn

from bench.fleet.outliers import FALSE_ALARMS_FRAC, LEAST_UNITS, deviations

pytestmark = pytest.mark.slow
FLEETS = 150
MOST = FALSE_ALARMS_FRAC + 3.0 * (FALSE_ALARMS_FRAC * (1.0 - FALSE_ALARMS_FRAC) / FLEETS) ** 0.5
SOUND = [
    {"sd": 0.0}, {"sd": 0.003}, {"sd": 0.01}, {"sd": 0.01, "work": 0.01, "work_spread": 1.0},
    {"sd": 0.01, "meter": 0.01, "meters": 2}, {"sd": 0.0, "window_sd_spread": 0.5},
    {"sd": 0.003, "window_sd_spread": 0.5},
]  # fmt: skip


@pytest.mark.parametrize("count", [5, 8, 16])
@pytest.mark.parametrize("fleet", SOUND)
def test_sound_fleets_have_no_more_false_alarms_than_stated(fleet, count):
    rng = np.random.default_rng(11)
    alarms = sum(any(one.is_outlier for one in deviations(drawn(rng, count, **fleet).figures)) for _ in range(FLEETS))
    assert alarms / FLEETS <= MOST


@pytest.mark.parametrize(("count", "off", "least"), [(8, 0.08, 0.9), (16, 0.06, 0.9), (24, 0.06, 0.95)])
def test_a_unit_that_is_far_off_is_named(count, off, least):
    rng = np.random.default_rng(12)
    named = [deviations(drawn(rng, count, 0.01, shifts=(off,)).figures)[0] for _ in range(50)]
    assert sum(one.is_outlier for one in named) / len(named) >= least
    assert np.median([one.frac for one in named]) == pytest.approx(off, abs=0.01)


def test_a_second_outlier_is_named_after_the_first():
    figures = drawn(np.random.default_rng(13), 24, 0.005, shifts=(0.1, -0.06)).figures
    assert [one.is_outlier for one in deviations(figures)][:2] == [True, True]


def test_a_noisy_unit_is_not_called_off():
    rng = np.random.default_rng(14)
    figures = drawn(rng, 12, 0.001, window_sd=0.001).figures
    figures.logs[0] = figures.logs[1:].mean() + 0.02
    figures.moderated[0] = 0.02**2
    assert not deviations(figures)[0].is_outlier


def test_too_few_units_are_not_tested():
    assert deviations(drawn(np.random.default_rng(15), LEAST_UNITS - 1, 0.01).figures) is None
