"""Random problems for the dispatch, the same as a linear programme for HiGHS, and sites made up for the tests."""

from pathlib import Path

import numpy as np
import pytest
from scipy.optimize import linprog
from scipy.sparse import coo_array

from hardware_profiles.errors import InputError, near_names
from sites.dispatch.merit_order import Problem
from sites.dispatch.year import site_year
from sites.file.build import load_site
from sites.market.device_rate import DeviceRate

HERE = Path(__file__).parent
HASH_PER_MWH = 3.6e9 / 21.5e-12


def random_problem(*, seed=0, hours=8760, charge=0.0, contract_mw=0.0, idle=True, sla=True):
    """A problem with unequal PUEs, negative prices, events, and per default idle power and a promised minimum."""
    r = np.random.default_rng(seed)
    month = np.minimum(np.arange(hours) // 730, 11)
    series = np.empty((11, hours))
    series[0] = r.normal(45, 60, hours)
    series[1] = np.where(r.random(hours) < 0.01, 200.0, 0.0)
    series[2] = series[0] + r.normal(-3, 8, hours)
    series[3] = np.where(r.random(hours) < 0.05, r.uniform(0, 20, hours), 50.0)
    series[4], series[5] = r.uniform(0.8, 1, hours), r.uniform(0.9, 1, hours)
    series[6], series[7] = r.uniform(1.02, 1.1, hours) / 0.99, r.uniform(1.2, 1.4, hours) / 0.99
    series[8] = 80 / HASH_PER_MWH * r.uniform(0.5, 1.5, hours)
    series[9] = 0.02 * series[8]
    series[10] = np.where(r.random(hours) < 0.02, 90.0, 0.0)
    h = HASH_PER_MWH
    blocks = [
        [0, 15, h * 0.99, 1, 0, -1e-6, 0, 0, 0, 0, h],
        [0, 8, h * 1.2, 0, 0, 0, 0, 0, 0, 0, h * 1.2],
        [0, 5, h * 0.7, 1, 0, 0, 0, 0, 0, 0, h],
    ]
    for able, asked, worth, growth, promised, penalty, idle_mw in (
        (12, 9, 130, 1e-5, 0.3, 400, 3),
        (5, 4, 60, 0, 0.5, 10, 1),
    ):
        share = promised if sla else 0.0
        if idle:
            blocks.append([1, idle_mw, 0, 0, 0, 0, 0, 0, 0, 0, 0])
        blocks.append([2, able, worth, 0, asked, growth, share, 0, 0, penalty, 1e9])
        blocks.append([3, able, worth, 0, asked, growth, share, 0, 0, 0, 1e9])
    return Problem(
        how=np.arange(hours) % 168,
        month=month,
        series=series,
        blocks=np.array(blocks, float),
        profiles=r.uniform(0.3, 1.7, (1, 168)),
        charges_usd_per_mw=np.full(int(month.max()) + 1, float(charge)),
        contract_mw=float(contract_mw),
        contract_usd_per_mwh=40.0,
        event=np.zeros(hours, np.int64),
    )


def lp_net_usd(problem):
    """The problem's best net [USD] by HiGHS, written down without the merit order.

    Per hour: meter MW of each block, power bought, resold and left untaken of the contract, promised work not served;
    per month: the peak.
    """
    blocks, series, hours = problem.blocks, problem.series, problem.how.size
    spot, adder, resale, limit = series[:4]
    given_up = adder + series[10]
    kinds = blocks[:, 0].astype(int)
    t = np.arange(hours)
    q = np.where((kinds == 0)[:, None], series[6], series[7])
    fade = np.exp(blocks[:, 5][:, None] * t)
    asked = blocks[:, 4][:, None] * problem.profiles[blocks[:, 7].astype(int)][:, problem.how] * fade
    able = blocks[:, 1][:, None] * np.where(
        (kinds == 0)[:, None], series[4], np.where((kinds == 1)[:, None], 1, series[5])
    )
    promised = blocks[:, 6][:, None] * asked
    mining_usd = blocks[:, 2][:, None] * fade * (series[8] + blocks[:, 3][:, None] * series[9])
    usd = np.where((kinds == 0)[:, None], mining_usd, blocks[:, 2][:, None])
    first = np.minimum(able, promised)
    upper = np.where(
        (kinds == 0)[:, None], able, np.where((kinds == 2)[:, None], first, np.minimum(able, asked) - first)
    )
    idle = np.minimum((able * q)[kinds == 1].sum(axis=0), limit) if (kinds == 1).any() else np.zeros(hours)

    run = np.flatnonzero(kinds != 1)
    promises = np.flatnonzero(kinds == 2)
    n, s, months = run.size, promises.size, problem.charges_usd_per_mw.size
    width = hours * (n + 3 + s)
    x = np.arange(hours * n).reshape(n, hours)
    buy, sell, leave = hours * n + t, hours * (n + 1) + t, hours * (n + 2) + t
    short = (hours * (n + 3) + np.arange(hours * s)).reshape(s, hours)
    peak = width + np.arange(months)
    cost = np.zeros(width + months)
    bounds = np.zeros((width + months, 2))
    bounds[:, 1] = np.inf
    for i, k in enumerate(run):
        cost[x[i]] = given_up - usd[k] / q[k] - blocks[k, 8] * (spot + adder)
        bounds[x[i], 1] = np.maximum(upper[k], 0) * q[k]
    cost[buy], cost[sell] = spot, -resale
    for j, k in enumerate(promises):
        cost[short[j]] = blocks[k, 9]
    cost[peak] = problem.charges_usd_per_mw

    def matrix(parts, rows):
        r, c, v = (np.concatenate([np.broadcast_to(p[i], np.shape(p[1])) for p in parts]) for i in range(3))
        return coo_array((v.astype(float), (r, c)), shape=(rows, width + months)).tocsr()

    balance = [(t, x[i], 1.0) for i in range(n)] + [(t, sell, 1.0), (t, leave, 1.0), (t, buy, -1.0)]
    a_eq, b_eq = matrix(balance, hours), problem.contract_mw - idle
    under = [(t, x[i], 1.0) for i in range(n)]
    under += [(hours + t, x[i], 1.0) for i in range(n)] + [(hours + t, peak[problem.month], -1.0)]
    under += [(2 * hours + t, sell, 1.0), (2 * hours + t, leave, 1.0)]
    b_ub = [limit - idle, -idle, np.full(hours, problem.contract_mw)]
    for j, k in enumerate(promises):
        rows = (3 + j) * hours + t
        under += [(rows, x[np.flatnonzero(run == k)[0]], -1.0 / q[k]), (rows, short[j], -1.0)]
        b_ub.append(-promised[k])
    solved = linprog(
        cost,
        A_ub=matrix(under, (3 + s) * hours),
        b_ub=np.concatenate(b_ub),
        A_eq=a_eq,
        b_eq=b_eq,
        bounds=bounds,
        method="highs",
    )
    assert solved.status == 0, solved.message
    return -solved.fun - float(given_up @ idle) - problem.contract_mw * problem.contract_usd_per_mwh * hours


@pytest.fixture
def make_problem():
    return random_problem


@pytest.fixture
def solve_lp():
    return lp_net_usd


def hash_rate(name, th_s, watts, basis="rated"):
    return DeviceRate(
        name=name,
        unit="hash",
        rate_per_s=th_s * 1e12,
        rate_interval_per_s=None,
        power_w=watts,
        power_interval_w=None,
        boundary="wall",
        basis=basis,
        power_basis=basis,
        confidence="one_source",
        source="made up for the tests",
    )


DEVICES = {
    "air": hash_rate("air", 138.0, 3050.0, "measured"),
    "air rated": hash_rate("air rated", 140.0, 3010.0),
    "hydro: low": hash_rate("hydro: low", 200.0, 3000.0),
    "hydro: high": hash_rate("hydro: high", 300.0, 5400.0),
}


def resolve_device(name):
    if name not in DEVICES:
        raise InputError.at("device", expected="a known one", got=name, near=near_names(name, DEVICES))
    return DEVICES[name]


@pytest.fixture
def resolve():
    return resolve_device


def everything():
    return (HERE / "everything.toml").read_text(encoding="utf-8")


@pytest.fixture
def full_site_file(tmp_path):
    path = tmp_path / "everything.toml"
    path.write_text(everything(), encoding="utf-8")
    return path


@pytest.fixture
def small_site_file(tmp_path):
    path = tmp_path / "small.toml"
    path.write_text((HERE / "small.toml").read_text(encoding="utf-8"), encoding="utf-8")
    return path


@pytest.fixture
def full_year(full_site_file):
    return site_year(load_site(full_site_file, resolve_device), hourly=True)


@pytest.fixture
def edited(small_site_file):
    """Write the small site with a piece of text replaced, or text added, and load it."""

    def load(old="", new="", add=""):
        text = small_site_file.read_text(encoding="utf-8")
        assert old in text
        path = small_site_file.with_name("edited.toml")
        path.write_text((text.replace(old, new, 1) if old else text) + add, encoding="utf-8")
        return load_site(path, resolve_device)

    return load


@pytest.fixture(scope="session")
def full_site_text():
    return everything()


@pytest.fixture(scope="session")
def devices():
    return resolve_device
