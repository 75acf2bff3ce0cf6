"""Random problems for the dispatch, the same as a linear programme for HiGHS, and sites made up for the tests."""

from pathlib import Path

import numpy as np
import pytest
from doubles.curve import resolving
from scipy.optimize import linprog
from scipy.sparse import coo_array

from hardware_profiles.errors import InputError, near_names
from sites.dispatch.columns import IDLE, MINING, ON_DEMAND, SLA, Hours
from sites.dispatch.merit_order import NO_PROGRAMME, Problem, Programme
from sites.dispatch.problem import FIRM_USD_PER_MWH, NO_BLOCK
from sites.dispatch.year import site_year
from sites.file.build import load_site
from sites.market.device_rate import DeviceRate

HERE = Path(__file__).parent
HASH_PER_MWH = 3.6e9 / 21.5e-12


def random_problem(
    *,
    seed=0,
    hours=8760,
    charge=0.0,
    contract_mw=0.0,
    idle=True,
    sla=True,
    enrolled_mw=0.0,
    tenant=False,
    curve=False,
):
    """A problem with unequal PUEs, negative prices, events, and per default idle power and a promised minimum.

    With enrolled power, events limit the draw to at most that, and readiness is paid for. With a tenant, the last
    block's on-demand work is a contracted load, which runs at any price. With a curve, a block has three operating
    points, and each makes fewer units a MWh than the one before.
    """
    r = np.random.default_rng(seed)
    month = np.minimum(np.arange(hours) // 730, 11)
    spot = r.normal(45, 60, hours)
    adder = np.where(r.random(hours) < 0.01, 200.0, 0.0)
    resale = spot + r.normal(-3, 8, hours)
    limit = np.where(r.random(hours) < 0.05, r.uniform(0, 20, hours), 50.0)
    mining_frac, gpu_frac = r.uniform(0.8, 1, hours), r.uniform(0.9, 1, hours)
    mining_per_device, gpu_per_device = r.uniform(1.02, 1.1, hours) / 0.99, r.uniform(1.2, 1.4, hours) / 0.99
    subsidy = 80 / HASH_PER_MWH * r.uniform(0.5, 1.5, hours)
    series = Hours(
        spot_usd_per_mwh=spot,
        adder_usd_per_mwh=adder,
        resale_usd_per_mwh=resale,
        limit_mw=limit,
        mining_capacity_frac=mining_frac,
        gpu_capacity_frac=gpu_frac,
        mining_meter_per_device=mining_per_device,
        gpu_meter_per_device=gpu_per_device,
        subsidy_usd_per_hash=subsidy,
        fees_usd_per_hash=0.02 * subsidy,
        forgone_usd_per_mwh=np.where(r.random(hours) < 0.02, 90.0, 0.0),
    )
    h = HASH_PER_MWH
    mining = NO_BLOCK._replace(kind=MINING, pays_fees=1, units_per_mwh=h)
    blocks = [
        mining._replace(capacity_mw=15, worth=h * 0.99, growth_log_per_hour=-1e-6),
        mining._replace(capacity_mw=8, worth=h * 1.2, pays_fees=0, units_per_mwh=h * 1.2),
        mining._replace(capacity_mw=5, worth=h * 0.7),
    ]
    for able, asked, worth, growth, promised, penalty, idle_mw in (
        (12, 9, 130, 1e-5, 0.3, 400, 3),
        (5, 4, 60, 0, 0.5, 10, 1),
    ):
        share = promised if sla else 0.0
        if idle:
            blocks.append(NO_BLOCK._replace(kind=IDLE, capacity_mw=idle_mw))
        serving = NO_BLOCK._replace(capacity_mw=able, worth=worth, demand_mw=asked, growth_log_per_hour=growth)
        serving = serving._replace(promised_frac=share, units_per_mwh=1e9)
        blocks.append(serving._replace(kind=SLA, penalty_usd_per_mwh=penalty))
        blocks.append(serving._replace(kind=ON_DEMAND))
    if curve:
        better = 0.0  # MW of the best point that make what the points before make
        for able, worth_frac, follows in ((4.0, 1.0, 1), (3.0, 0.6, 1), (5.0, 0.25, 0)):
            point = NO_BLOCK._replace(capacity_mw=able, demand_mw=8 / worth_frac, growth_log_per_hour=1e-5)
            point = point._replace(worth=150 * worth_frac, units_per_mwh=3e9 * worth_frac, has_next=follows)
            point = point._replace(better_frac=better / (able * worth_frac), promised_frac=0.7 if sla else 0.0)
            blocks.append(point._replace(kind=SLA, penalty_usd_per_mwh=2 * point.worth))
            blocks.append(point._replace(kind=ON_DEMAND))
            better += able * worth_frac
    if tenant:
        blocks[-1] = blocks[-1]._replace(penalty_usd_per_mwh=FIRM_USD_PER_MWH, is_firm=1)
    programme = NO_PROGRAMME
    if enrolled_mw > 0.0:
        load_limit, credit = limit.copy(), series.forgone_usd_per_mwh
        limit[credit > 0] = np.minimum(limit, r.uniform(0, enrolled_mw, hours))[credit > 0]
        programme = Programme(load_limit, credit, float(enrolled_mw), 4.0)
    return Problem(
        how=np.arange(hours) % 168,
        month=month,
        series=np.stack(series),
        blocks=np.array(blocks, float),
        profiles=r.uniform(0.3, 1.7, (1, 168)),
        charges_usd_per_mw=np.full(int(month.max()) + 1, float(charge)),
        contract_mw=float(contract_mw),
        contract_usd_per_mwh=40.0,
        event=np.zeros(hours, np.int64),
        programme=programme,
    )


def hourly_terms(problem):
    """Return meter MW per device MW, capacity [MW device], worth [USD/MWh device] and promised MW, each [B, T].

    Written down without the formulas of the merit order.
    """
    hourly, parts, t = problem.hours, problem.parts, np.arange(problem.how.size) * problem.step_h
    kinds = parts.kind.astype(int)
    mining, idling = (kinds == MINING)[:, None], (kinds == IDLE)[:, None]
    q = np.where(mining, hourly.mining_meter_per_device, hourly.gpu_meter_per_device)
    fade = np.exp(parts.growth_log_per_hour[:, None] * t)
    asked = parts.demand_mw[:, None] * problem.profiles[parts.profile.astype(int)][:, problem.how] * fade
    share = np.where(mining, hourly.mining_capacity_frac, np.where(idling, 1, hourly.gpu_capacity_frac))
    able = parts.capacity_mw[:, None] * share
    taken = parts.better_frac[:, None] * able
    promised = np.maximum(parts.promised_frac[:, None] * asked - taken, 0)
    reward = hourly.subsidy_usd_per_hash + parts.pays_fees[:, None] * hourly.fees_usd_per_hash
    usd = np.where(mining, parts.worth[:, None] * fade * reward, parts.worth[:, None] * problem.over_mean)
    first = np.minimum(able, promised)
    on_demand = np.minimum(able, np.maximum(asked - taken, 0)) - first
    promised = np.where((parts.has_next > 0)[:, None], first, promised)
    upper = np.where(mining | idling, able, np.where((kinds == SLA)[:, None], first, on_demand))
    return q, upper, usd, promised


def lp_net_usd(problem):
    """The problem's best net [USD] by HiGHS, written down without the merit order.

    Per hour: meter MW of each block, power bought, resold and left untaken of the contract, promised work not served;
    per month: the peak.
    """
    hourly, parts, hours = problem.hours, problem.parts, problem.how.size
    spot, adder = hourly.spot_usd_per_mwh, hourly.adder_usd_per_mwh
    resale, limit = hourly.resale_usd_per_mwh, hourly.limit_mw
    given_up = adder + hourly.forgone_usd_per_mwh
    kinds = parts.kind.astype(int)
    t = np.arange(hours)
    q, upper, usd, promised = hourly_terms(problem)
    idling = kinds == IDLE
    idle = np.minimum((upper * q)[idling].sum(axis=0), limit) if idling.any() else np.zeros(hours)

    # A contracted load runs before all others and at any price; its priority is no money.
    priority = np.where(kinds == ON_DEMAND, np.minimum(parts.penalty_usd_per_mwh, 1e4), 0.0)
    run = np.flatnonzero(kinds != IDLE)
    promises = np.flatnonzero(kinds == SLA)
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
        cost[x[i]] = given_up - usd[k] / q[k] - parts.passes_energy[k] * (spot + adder) - priority[k] / q[k]
        bounds[x[i], 1] = np.maximum(upper[k], 0) * q[k]
    cost[buy], cost[sell] = spot, -resale
    for j, k in enumerate(promises):
        cost[short[j]] = parts.penalty_usd_per_mwh[k] * problem.over_mean[k]
    cost *= problem.step_h
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
    preferred = sum(float((priority[k] / q[k]) @ solved.x[x[i]]) for i, k in enumerate(run))
    contract_usd = problem.contract_mw * problem.contract_usd_per_mwh * hours
    return -solved.fun - (preferred + float(given_up @ idle) + contract_usd) * problem.step_h


@pytest.fixture(scope="session")
def make_problem():
    return random_problem


@pytest.fixture(scope="session")
def solve_lp():
    return lp_net_usd


@pytest.fixture(scope="session")
def terms():
    return hourly_terms


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
        return load_site(path, resolving(resolve_device))

    return load


@pytest.fixture(scope="session")
def full_site_text():
    return everything()


@pytest.fixture(scope="session")
def devices():
    return resolve_device
