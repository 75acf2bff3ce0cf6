"""The spread between units in scenarios: blocks of one fleet and unequal size have unequal spreads."""

import numpy as np
from doubles.fleets.store import miners

from bench.device_rates import resolve_device
from sites.file.build import load_site
from sites.scenarios.case import site_case
from sites.scenarios.causes import deterministic_cases, tornado
from sites.scenarios.draws import Run
from sites.scenarios.model import ScenarioModel

SITE = """
[site]
name = "Measured"
start = 2026-01-01
[power]
interconnect_mw = 30
[cooling]
mining_pue = 1.05
[price]
energy_usd_per_mwh = 40
[market]
btc_usd = 80000
fees_percent_of_subsidy = 1
"""
BLOCK = """
[[mining]]
name = "{name}"
device = "fleet:sha256d_scan_asic/Bitmain Antminer S21"
count = {count}
pool_fee_percent = 1
"""


def test_the_spread_between_units_is_a_cause_of_the_spread_in_net(tmp_path):
    store = miners(tmp_path / "results", 6, rate_sd=0.02, power_sd=0.01, rng=np.random.default_rng(1), repeats=2)
    path = tmp_path / "site.toml"
    path.write_text(SITE + BLOCK.format(name="all", count=6) + BLOCK.format(name="many", count=7000))
    site = load_site(path, lambda name: resolve_device(name, store=store))
    assert [note for note in site.notes if "stand for" in note][1].startswith(
        "mining[many]: 6 measured units stand for"
    )
    case = site_case(site, ScenarioModel())
    (_, all_measured, _), (_, sampled, _) = case.devices
    assert sampled > 5.0 * all_measured
    run = Run(1, ScenarioModel())
    (cause,) = tornado([site], run, 400).causes
    net_usd = deterministic_cases([site], run)["base"]
    low, high = site.mining[1].rate.rate_interval_per_s
    assert cause.name == "measurement"
    assert cause.sd > (high - low) / 4.0 / site.mining[1].rate.rate_per_s * net_usd
