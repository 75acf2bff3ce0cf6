"""The range of the best settings, as a promise over seeds: it holds the true optimum, and leaves out what is worse."""

import math

import numpy as np
import pytest

from bench.measure.optimum.best import Visit, choose, fit
from bench.measure.optimum.order import walk

SEEDS = 200
VISIT_S = 1200.0


def visits_of(true_logs, seed, *, order="random", rounds=2, visit_sd=0.005, window_sd=0.005, drift=0.0):
    """Visits to settings 0, 1, ... with these true logarithms; each visit and each window has an error of its own."""
    rng = np.random.default_rng(seed)
    names = [str(i) for i in range(len(true_logs))]
    path = walk(names, order, rounds, str(seed))
    logs = [true_logs[int(name)] + rng.normal(0, visit_sd) + drift * at / len(path) for at, name in enumerate(path)]
    return [
        Visit(name, at * VISIT_S, tuple(np.exp(log + rng.normal(0, window_sd, 3))))
        for at, (name, log) in enumerate(zip(path, logs, strict=True))
    ]


def bowl(seed, settings, depth=0.1):
    """The logarithms of a curve with its minimum anywhere."""
    least = np.random.default_rng(1000 + seed).uniform(0, settings - 1)
    return [depth * ((i - least) / (settings - 1)) ** 2 for i in range(settings)]


@pytest.mark.parametrize("order", ["random", "there-and-back"])
@pytest.mark.parametrize("settings", [3, 5, 8])
@pytest.mark.parametrize(("visit_sd", "drift"), [(0.0, 0.0), (0.005, 0.02), (0.02, 0.05)])
def test_the_range_holds_the_true_optimum_in_95_of_100_sweeps(settings, order, visit_sd, drift):
    curves = [bowl(seed, settings) for seed in range(SEEDS)]
    chosen = [choose(visits_of(c, s, order=order, visit_sd=visit_sd, drift=drift)) for s, c in enumerate(curves)]
    assert sum(str(np.argmin(c)) in one.alike for one, c in zip(chosen, curves, strict=True)) >= 0.95 * SEEDS


def test_equal_settings_are_rarely_left_out():
    left_out = [len(choose(visits_of([0.0] * 5, seed)).alike) < 5 for seed in range(SEEDS)]
    whole = [choose(visits_of([0.0] * 5, seed)) for seed in range(SEEDS)]
    assert sum("2" not in one.alike for one in whole) <= 0.05 * SEEDS, "each of them is a true optimum"
    assert sum(left_out) <= 0.25 * SEEDS


def test_a_setting_that_is_a_tenth_worse_is_left_out():
    worst = [choose(visits_of([0.1, 0.03, 0.0, 0.03, 0.1], seed)) for seed in range(SEEDS)]
    assert sum(not {"0", "4"} & set(one.alike) for one in worst) >= 0.95 * SEEDS


def test_windows_of_single_visits_promise_too_much():
    """Why each setting is visited twice: windows cannot see what differs from visit to visit."""
    curves = [bowl(seed, 5) for seed in range(SEEDS)]
    chosen = [choose(visits_of(c, s, rounds=1, visit_sd=0.02)) for s, c in enumerate(curves)]
    assert not any(one.by_visits for one in chosen)
    assert sum(str(np.argmin(c)) in one.alike for one, c in zip(chosen, curves, strict=True)) < 0.9 * SEEDS


def test_a_drift_is_found_and_taken_away():
    held = 0
    for seed in range(SEEDS):
        fitted = fit(visits_of([0.0, 0.05, 0.1], seed, drift=0.07))
        total = 0.07 * 3600.0 / (6 * VISIT_S)
        held += fitted.drift_interval_per_h[0] <= total <= fitted.drift_interval_per_h[1]
    assert held >= 0.93 * SEEDS


@pytest.mark.parametrize("systematic", [0.0, 0.01])
def test_the_interval_of_a_mean_holds_it(systematic):
    held = 0
    for seed in range(SEEDS):
        gain = np.random.default_rng(9000 + seed).normal(0, systematic)
        fitted = fit(visits_of([0.2 + gain, 0.1 + gain, gain], seed))
        low, high = fitted.interval("1", systematic)
        held += low <= math.exp(0.1) <= high
    assert held >= 0.93 * SEEDS


def test_the_highest_is_best_where_more_is_better():
    visits = visits_of([0.0, 0.3, 0.1], 1)
    assert choose(visits, highest=True).best == "1"
    assert choose(visits).best == "0"


def test_one_window_a_visit_without_repeats_leaves_everything_open():
    single = [Visit("a", 0.0, (1.0,)), Visit("b", 10.0, (2.0,))]
    assert choose(single).alike == ("a", "b")


def test_times_that_are_all_alike_give_no_fit():
    assert fit([Visit(name, 0.0, (1.0, 1.1)) for name in "aabbcc"]) is None
