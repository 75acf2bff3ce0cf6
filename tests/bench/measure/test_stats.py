"""Intervals, combined uncertainty and verdicts: against tables, against simulation, against their limits."""

import math
import random

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.measure import stats


@pytest.mark.parametrize(("dof", "expected"), [(1, 12.706), (2, 4.303), (4, 2.776), (8, 2.306), (30, 2.042)])
def test_student_quantiles_are_those_of_the_tables(dof, expected):
    assert stats.t_quantile(dof) == pytest.approx(expected, abs=5e-4)


def test_infinitely_many_degrees_of_freedom_give_the_normal_quantile():
    assert stats.t_quantile(math.inf) == pytest.approx(1.959964, abs=1e-6)


def test_one_window_has_no_interval():
    found = stats.estimate([5.0])
    assert (found.value, found.interval, found.relative_sd_frac) == (5.0, None, None)


def test_rule_13_the_interval_combines_spread_meter_and_work():
    values = [99.0, 100.0, 101.0, 100.0, 100.0]
    found = stats.estimate(values, u_meter_frac=0.03, u_work_frac=0.04)
    spread = 2.7764 * math.sqrt(0.5) / math.sqrt(5) / 100.0
    half = (found.interval[1] - found.interval[0]) / 2
    assert half / 100.0 == pytest.approx(math.hypot(spread, 1.95996 * 0.05), rel=1e-4)


def test_rule_13_without_systematic_parts_it_is_students_interval():
    found = stats.estimate([9.0, 10.0, 11.0])
    assert found.interval[1] - 10.0 == pytest.approx(4.3027 / math.sqrt(3), rel=1e-4)


RATIOS = (0.03, 0.1, 0.3, 0.6, 1.0, 1.5, 2.5, 5.0, 20.0)  # of the systematic part to the part of the spread


def _within(n, ratio, systematic, count):
    """Return the share of runs whose interval holds the true value, 1; the spread of n windows has u = 0.001."""
    rng = np.random.default_rng([n, round(1000 * ratio)])
    u = 0.001 * ratio
    errors = rng.normal(0.0, u, count) if systematic == "normal" else rng.uniform(-u, u, count) * math.sqrt(3.0)
    windows = (1.0 + rng.normal(0.0, 0.001 * math.sqrt(n), (count, n))) * (1.0 + errors[:, None])
    intervals = [stats.estimate(values, u).interval for values in windows.tolist()]
    return sum(low <= 1.0 <= high for low, high in intervals) / count


@pytest.mark.parametrize("systematic", ["normal", "rectangular"])
@pytest.mark.parametrize("n", [2, 3, 4, 5, 7, 10])
def test_rule_13_the_interval_holds_the_true_value_in_95_of_100_runs(n, systematic):
    count = 4000
    shares = [_within(n, ratio, systematic, count) for ratio in RATIOS]
    chance = 3.0 * math.sqrt(0.95 * 0.05 / count)
    assert min(shares) >= 0.95 - chance
    most = {2: 0.99, 3: 0.98}.get(n, 0.97)  # beyond it an interval says less than the windows know
    # A rectangular error stays within its limit, which is less than the 1.96 u of a normal one.
    assert systematic == "rectangular" or max(shares) <= most + chance


def test_rule_13_stated_limits_are_rectangular():
    assert stats.standard_from_limits(0.05) == pytest.approx(0.05 / math.sqrt(3))


@given(st.lists(st.floats(0.1, 1e12), min_size=2, max_size=20), st.floats(0, 0.2))
def test_rule_13_a_systematic_part_never_narrows_an_interval(values, u):
    plain, wide = stats.estimate(values), stats.estimate(values, u)
    assert wide.interval[0] <= plain.interval[0] <= plain.value <= plain.interval[1] <= wide.interval[1]


def test_rule_10_a_slope_is_found_with_its_interval():
    times = [float(t) for t in range(60)]
    rising = [100.0 * (1.0 + 0.02 * t / 60.0) for t in times]
    low, high = stats.slope_interval(times, rising)
    assert low <= 0.0198 <= high + 1e-9 or low == pytest.approx(0.0198, rel=0.01)
    assert not stats.touches((low, high), 0.01)
    assert stats.touches(stats.slope_interval(times, [100.0 + (t % 2) for t in times]), 0.01)
    assert stats.slope_interval([0.0, 1.0], [1.0, 2.0]) is None


@pytest.mark.parametrize(
    ("interval", "verdict"),
    [
        ((0.99, 1.01), "same"),
        ((1.005, 1.015), "same"),  # real, and too small to matter: same comes first
        ((1.01, 1.05), "higher"),
        ((0.90, 0.97), "lower"),
        ((0.95, 1.05), "cannot_tell"),
        ((0.99, 1.03), "cannot_tell"),
    ],
)
def test_rule_14_verdicts_are_given_in_their_order(interval, verdict):
    assert stats.judge(interval) == verdict


def test_rule_14_a_ratio_and_its_inverse_agree():
    a, b = [10.0, 10.2, 9.9], [12.0, 12.1, 11.8]
    one, other = stats.compare(a, b), stats.compare(b, a)
    assert one.ratio == pytest.approx(1.0 / other.ratio)
    assert one.interval[0] == pytest.approx(1.0 / other.interval[1])
    assert (one.verdict, other.verdict) == ("lower", "higher")


def test_a_single_window_gives_a_ratio_and_cannot_tell():
    found = stats.compare([2.0], [1.0, 1.0])
    assert (found.ratio, found.interval, found.verdict) == (2.0, None, "cannot_tell")


@pytest.mark.parametrize("bad", [[], [0.0, 1.0], [-1.0, 1.0]])
def test_what_has_no_logarithm_is_refused(bad):
    with pytest.raises(ValueError, match="above 0"):
        stats.compare(bad, [1.0, 2.0])


def _verdicts(seed, windows, true_ratio, noise, count):
    rng = random.Random(seed)
    found = []
    for _ in range(count):
        a = [rng.gauss(true_ratio, noise * true_ratio) for _ in range(windows)]
        b = [rng.gauss(1.0, noise) for _ in range(windows)]
        found.append(stats.compare(a, b).verdict)
    return found


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_rule_14_five_windows_of_one_thing_are_called_different_in_at_most_six_per_cent(seed):
    found = _verdicts(seed, windows=5, true_ratio=1.0, noise=0.01, count=5000)
    assert sum(verdict in {"higher", "lower"} for verdict in found) <= 0.06 * len(found)


def test_rule_14_three_per_cent_on_one_meter_is_found_by_four_windows_and_not_by_three():
    found = {n: _verdicts(4, n, 1.03, 0.01, 5000).count("higher") / 5000 for n in (3, 4, 5)}
    assert found[5] >= 0.97
    assert found[4] >= 0.80
    assert found[3] < 0.80


def test_pairs_of_one_thing_are_rarely_called_different():
    rng = random.Random(7)
    calls = [stats.compare_pairs([math.exp(rng.gauss(0.0, 0.02)) for _ in range(50)]).verdict for _ in range(2000)]
    assert sum(verdict in {"higher", "lower"} for verdict in calls) <= 0.06 * len(calls)
