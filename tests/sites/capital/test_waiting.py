"""The worth of waiting by regression against a binomial tree, over many seeds, and on the bundled plan."""

import math
from dataclasses import replace

import numpy as np
import pytest

from bench.device_rates import resolve_device
from sites.capital.appraisal import report
from sites.capital.file import read_plan
from sites.capital.waiting import Paths, worth_of_waiting
from sites.examples import capital_path, site_path
from sites.file.build import load_site
from sites.scenarios.defaults import default_model
from sites.scenarios.engine import Run
from sites.scenarios.model import ScenarioModel

VALUE, PRICE, RATE, YIELD, SPREAD, DATES = 100.0, 100.0, 0.06, 0.05, 0.35, 5


def tree_usd(steps_per_year=400):
    """The option to pay PRICE for VALUE at one of the dates, by the tree of Cox, Ross and Rubinstein."""
    dt = 1.0 / steps_per_year
    up = math.exp(SPREAD * math.sqrt(dt))
    p = (math.exp((RATE - YIELD) * dt) - 1 / up) / (up - 1 / up)
    last = steps_per_year * (DATES - 1)
    values = np.maximum(VALUE * up ** (2.0 * np.arange(last + 1) - last) - PRICE, 0.0)
    for n in range(last - 1, -1, -1):
        values = math.exp(-RATE * dt) * (p * values[1:] + (1 - p) * values[:-1])
        if n % steps_per_year == 0:
            values = np.maximum(values, VALUE * up ** (2.0 * np.arange(n + 1) - n) - PRICE)
    return float(values[0])


def paths(seed, count=2000, *, noise=0.0):
    r = np.random.default_rng(seed)
    moves = np.vstack([np.zeros(count), r.normal(RATE - YIELD - SPREAD**2 / 2, SPREAD, (DATES - 1, count))])
    log = np.cumsum(moves, axis=0)
    discount = np.exp(-RATE * np.arange(DATES))[:, None]
    payoff = discount * (VALUE * np.exp(log) - PRICE + noise * r.normal(size=log.shape))
    return Paths(log[:, None], payoff)


def test_the_value_equals_that_of_a_binomial_tree_within_its_stated_error():
    """Over 200 seeds the tree is within 1.96 standard errors in 90 % or more, and the mean is a little below it."""
    tree = tree_usd()
    done = [worth_of_waiting(paths(2 * seed), paths(2 * seed + 1), is_known=True) for seed in range(200)]
    within = [abs(each.value_usd - tree) <= 1.96 * each.value_se_usd for each in done]
    assert np.mean(within) >= 0.9
    mean = np.mean([each.value_usd for each in done])
    assert 0.985 * tree < mean < 1.004 * tree
    spread = np.std([each.value_usd for each in done], ddof=1)
    assert np.mean([each.value_se_usd for each in done]) == pytest.approx(spread, rel=0.15)


def test_the_policy_earns_no_more_on_new_paths_than_on_its_own():
    """Fitted on few paths, a policy looks better there than it is; the stated value is that on the new paths."""
    done = [worth_of_waiting(paths(2 * seed, 200), paths(2 * seed + 1, 200), is_known=True) for seed in range(200)]
    above = np.mean([each.in_sample_usd - each.value_usd for each in done])
    assert above > 0
    assert np.mean([each.value_usd for each in done]) < tree_usd()


def test_a_payoff_that_is_only_estimated_has_nearly_the_same_worth():
    """Noise that nobody can foresee adds nothing to the worth of waiting."""
    tree = tree_usd()
    done = [worth_of_waiting(paths(2 * s, noise=40.0), paths(2 * s + 1, noise=40.0)) for s in range(60)]
    assert 0.97 * tree < np.mean([each.value_usd for each in done]) < 1.01 * tree


def test_what_pays_for_certain_is_converted_now_and_what_never_pays_is_not():
    certain = np.repeat(100.0 * 0.9 ** np.arange(DATES), 500).reshape(DATES, 500)
    known = np.zeros((DATES, 2, 500))
    done = worth_of_waiting(Paths(known, certain), Paths(known, certain))
    assert (done.value_usd, done.worth_usd, done.shares[0]) == (pytest.approx(100.0), pytest.approx(0.0), 1.0)
    never = worth_of_waiting(Paths(known, -certain), Paths(known, -certain))
    assert (never.value_usd, never.worth_usd, sum(never.shares)) == (0.0, 0.0, 0.0)


def load(name):
    return load_site(site_path(name), resolve_device)


def test_the_bundled_conversion_is_worth_waiting_for():
    plan = read_plan(capital_path("4451-btc-for-gpu-modules"))
    done = report(plan, load, Run(1, default_model()), 300).waiting
    assert done.now_usd < 0 < done.worth_usd
    assert done.worth_usd == pytest.approx(done.value_usd)
    assert done.paths == 300


def test_without_uncertainty_waiting_is_worth_what_the_best_year_is():
    """Every path is the same, so the policy is the best of five sums, or never."""
    plan = read_plan(capital_path("4451-btc-for-gpu-modules"))
    done = report(plan, load, Run(1, replace(ScenarioModel(), measurement=False)), 200).waiting
    assert done.value_se_usd == 0.0
    assert done.value_usd >= max(done.now_usd, 0.0) - 1e-6
    assert set(done.shares) <= {0.0, 1.0}


def test_too_few_scenarios_say_nothing():
    plan = read_plan(capital_path("4451-btc-for-gpu-modules"))
    assert report(plan, load, Run(1, default_model()), 100).waiting is None
