"""An inference block with an operating curve takes in each hour the points that pay best: a linear programme agrees."""

from dataclasses import replace

import numpy as np
import pytest
from doubles.curve import FIGURES, resolving
from scipy.optimize import linprog
from scipy.sparse import coo_array

from hardware_profiles.errors import InputError
from sites.dispatch.columns import KINDS, ON_DEMAND
from sites.dispatch.parts import hourly_parts, point_shares
from sites.dispatch.waterfall import DELIVERED, SOLD, waterfalls
from sites.dispatch.year import site_year
from sites.file.build import load_site
from sites.hours.calendar import MEAN_YEAR_HOURS

BLOCK = """
[[inference]]
name = "serve"
device = "sweep:made-up"
latency_limit = {tpot_q90_ms = 40, ttft_q50_ms = 500}
gpus = 10000
spare_percent = 2
availability_percent = 96
demand_percent = 60
demand_profile = "business"
demand_growth_percent_per_year = 30
usd_per_mtok = 0.03
"""
PROMISE = "sla_percent = 40\nsla_penalty_percent = 150\n"
ALLOWED = [figures for figures in FIGURES if figures[3] <= 40]


@pytest.fixture
def site_of(small_site_file, devices):
    """The small site with a block that has a curve, at prices and limits drawn at random."""

    def build(text):
        whole = small_site_file.read_text().replace("mining_pue = 1.05", "mining_pue = 1.05\ngpu_pue = 1.2")
        path = small_site_file.with_name("curve.toml")
        path.write_text(whole.replace("facility_mw = 9", "facility_mw = 4") + text)
        site = load_site(path, resolving(devices))
        draws = np.random.default_rng(7)
        spot = np.maximum(draws.normal(60, 70, site.hours), 0.0)  # below 0, wasting power on purpose would pay
        limit = np.where(draws.random(site.hours) < 0.2, draws.uniform(0, 8, site.hours), 10.0)
        cool = draws.uniform(0.7, 1.0, site.hours)
        return replace(site, spot_usd_per_mwh=spot, resale_usd_per_mwh=spot, limit_mw=limit, gpu_capacity_frac=cool)

    return build


def lp_usd(site):
    """Revenue less power and penalties [USD] of the best mix of all allowed points, by HiGHS, without the merit order.

    Variables of each hour: GPUs at each point, miners' MW at the meter, and promised tokens that are not served.
    """
    (block,), (miners,) = site.inference, site.mining
    t, hours = np.arange(site.hours), site.hours
    gpus = block.count * (1 - block.spare_frac) * block.availability_frac
    growth = (1 + block.growth_frac_per_year) ** (t / MEAN_YEAR_HOURS)
    wanted = block.count * (1 - block.spare_frac) * block.demand_frac * 1400.0 * 3600 * growth
    wanted = wanted * np.asarray(block.profile)[site.calendar.how]
    idle_w = block.idle_frac * 700.0
    usd_per_token = block.price_usd / 1e6
    meter = site.gpu_pue / site.delivered_frac
    idle = np.minimum(gpus * idle_w / 1e6 * meter, site.limit_mw)
    mining_worth = hourly_parts(site)[2][0]
    count = len(ALLOWED)
    at, dig, short = [i * hours + t for i in range(count)], count * hours + t, (count + 1) * hours + t
    cost, upper = np.zeros((count + 2) * hours), np.full((count + 2) * hours, np.inf)
    rows, b_ub = [], []

    def under(number, terms, limit):
        rows.extend((number * hours + t, columns, np.broadcast_to(values, hours)) for columns, values in terms)
        b_ub.append(limit)

    draw = [(watts - idle_w) / 1e6 * meter for _, _, watts, _ in ALLOWED]
    made = [rate * 3600 for _, rate, _, _ in ALLOWED]
    for i in range(count):
        cost[at[i]] = draw[i] * site.spot_usd_per_mwh - made[i] * usd_per_token
    cost[dig] = site.spot_usd_per_mwh - mining_worth
    upper[dig] = miners.count * sum(step.power_w for step in miners.margins) / 1e6 * site.mining_pue
    cost[short] = block.penalty_frac * usd_per_token
    under(0, [(at[i], 1.0) for i in range(count)], gpus * site.gpu_capacity_frac)
    under(1, [(at[i], made[i]) for i in range(count)], wanted)
    under(2, [(at[i], draw[i]) for i in range(count)] + [(dig, 1.0)], site.limit_mw - idle)
    under(3, [(at[i], -made[i]) for i in range(count)] + [(short, -1.0)], -block.promised_frac * wanted)
    r, c, v = (np.concatenate([part[i] for part in rows]) for i in range(3))
    matrix = coo_array((v, (r, c)), shape=(4 * hours, cost.size)).tocsr()
    bounds = np.column_stack([np.zeros(cost.size), upper])
    solved = linprog(cost, A_ub=matrix, b_ub=np.concatenate(b_ub), bounds=bounds, method="highs")
    assert solved.status == 0, solved.message
    return -solved.fun - float(idle @ site.spot_usd_per_mwh)


@pytest.mark.parametrize("more", ["", PROMISE, "idle_percent = 20\n", f"idle_percent = 20\n{PROMISE}"])
def test_a_year_equals_the_linear_programme_over_all_allowed_points(site_of, more):
    site = site_of(BLOCK + more)
    year = site_year(site, hourly=True)
    net = year.revenue_usd - year.energy_usd - year.penalty_usd
    assert net == pytest.approx(lp_usd(site), rel=1e-9)
    assert year.penalty_usd > 0 or not more.endswith(PROMISE)
    for fall in waterfalls(year):
        assert fall.steps[DELIVERED].mwh == pytest.approx(fall.delivered_mwh, rel=1e-9)
        assert fall.steps[SOLD].usd == pytest.approx(fall.sold_usd, rel=1e-9)


def test_each_point_of_the_hull_is_used_and_the_shares_of_the_points_give_the_tokens(site_of):
    site = site_of(BLOCK)
    year, (block,) = site_year(site, hourly=True), site.inference
    shares = point_shares(year, block)
    assert all(share > 0.01 for share in shares)
    gpu_seconds = block.count * (1 - block.spare_frac) * site.hours * 3600
    tokens = sum(share * point.rate.rate_per_s for share, point in zip(shares, block.curve.used, strict=True))
    assert tokens * gpu_seconds == pytest.approx(year.blocks[1].units, rel=1e-9)
    parts = [label.part for label in year.labels if label.name == "serve"]
    assert parts == [f"{KINDS[ON_DEMAND]}, {at} at a time" for at in (8, 16, 64)]


def test_points_over_the_limit_and_points_below_a_mix_of_others_are_left_out_with_a_reason(site_of):
    (block,) = site_of(BLOCK).inference
    assert [point.load for point in block.curve.used] == ["8 at a time", "16 at a time", "64 at a time"]
    assert block.curve.left_out == (
        "12 at a time: a mix of other points makes as many tokens with less power",
        "128 at a time: tpot q90 is 72 ms, above 40 ms",
        "256 at a time: invalid (client_bound)",
    )
    assert (block.rate.name, block.rate.rate_per_s, block.watts_per_gpu) == ("sweep:made-up", 1400.0, 700.0)
    assert block.rate.tags.latency_limit == "ttft q50 <= 500 ms, tpot q90 <= 40 ms"


def test_idle_power_above_that_of_a_point_is_refused(site_of):
    with pytest.raises(InputError, match="8 at a time: expected more than the 350 W without work, got 300 W"):
        site_of(f"{BLOCK}idle_percent = 50\n")
