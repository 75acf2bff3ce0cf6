"""Site files and capital plans without a doubtful number, and the lines about them after a slip."""

from bench.device_rates import resolve_device
from hardware_profiles.errors import InputError
from sites.capital.file import read_plan
from sites.file.build import load_site
from sites.file.values import numbers_of
from sites.plausible.checks import plan_doubts

SITE = """
[site]
name = "Two halves"
region = "us-texas"
timezone = "America/Chicago"
start = 2027-01-01
[power]
interconnect_mw = 40
losses_percent = 2
availability_percent = 97
[[power.outage]]
start = 2027-04-12T06:00:00-05:00
hours = 36
available_percent = 20
[climate]
mean_c_by_month = [8, 11, 16, 20, 25, 29, 31, 31, 27, 21, 14, 9]
daily_swing_c = 12
mining_derate_above_c = 38
mining_stop_above_c = 48
[cooling]
mining_pue = 1.06
gpu_pue = 1.28
gpu_pue_per_c = 0.004
[price]
delivery_usd_per_mwh = 5
demand_charge_usd_per_kw_month = 6.5
[price.time_of_use]
base_usd_per_mwh = 38
[[price.time_of_use.period]]
usd_per_mwh = 120
from_hour = 15
to_hour = 20
months = [6, 7, 8, 9]
[price.coincident]
usd_per_kw_year = 68
hours = [2027-06-25T22:00:00Z, 2027-08-20T22:00:00Z]
[price.contract]
mw = 15
usd_per_mwh = 41
resale_discount_usd_per_mwh = 2
[curtailment]
enrolled_mw = 10
ready_usd_per_mw_hour = 4
credit_usd_per_mwh = 150
[[curtailment.event]]
start = 2027-08-10T21:00:00Z
hours = 3
limit_mw = 10
[market]
btc_usd = 85000
fees_percent_of_subsidy = 1.2
difficulty_growth_percent_per_year = 15
[[market.difficulty]]
start = 2027-01-01
difficulty = 150e12
[[mining]]
name = "rigs"
device = "antminer-s21:200t"
count = 5000
availability_percent = 95
rejects_percent = 0.4
pool_fee_percent = 1.5
age_years = 1.5
degradation_percent_per_year = 2
[[inference]]
name = "chat"
gpus = 8192
gpus_per_module = 512
spare_percent = 3
network_overhead_percent = 4
idle_percent = 25
demand_percent = 45
demand_growth_percent_per_year = 30
usd_per_mtok = 0.6
sla_percent = 30
sla_penalty_percent = 100
[inference.rate]
tokens_per_s = 2100
power_w = 1300
boundary = "node"
power_kind = "measured"
token_basis = "output"
lengths = "1000:1000"
latency_limit = "first token in 2 s"
[carbon]
kg_per_mwh = 370
[cost]
fixed_usd_per_year = 2400000
"""

EURO = SITE.replace("[price]\n", '[price]\ncurrency = "EUR"\ncurrency_per_usd = 0.92\n').replace(
    'region = "us-texas"\ntimezone = "America/Chicago"', 'region = "norway"\ntimezone = "Europe/Oslo"'
)
RENT = SITE.replace("usd_per_mtok = 0.6", "usd_per_gpu_hour = 2.4")
LEASE = SITE.replace("usd_per_mtok = 0.6", "usd_per_kw_month = 150").replace(
    "sla_percent = 30\nsla_penalty_percent = 100\n", ""
)
SHARES = SITE.replace("count = 5000", "interconnect_percent = 45").replace("gpus = 8192", "interconnect_percent = 35")
MEGAWATTS = SITE.replace("count = 5000", "facility_mw = 18")
FLAT = SITE.replace("[price.time_of_use]\nbase_usd_per_mwh = 38\n", "energy_usd_per_mwh = 38\n", 1)
FLAT = FLAT[: FLAT.index("[[price.time_of_use")] + FLAT[FLAT.index("[price.coincident]") :]
FLAT = FLAT.replace("energy_usd_per_mwh = 38\n", "", 1).replace("[price]\n", "[price]\nenergy_usd_per_mwh = 38\n")

PAST = SITE.replace("2027-", "2020-").replace("btc_usd = 85000", "btc_usd = 20000").replace("150e12", "16e12")
PAST = PAST.replace('device = "antminer-s21:200t"', 'device = "antminer-s19-pro"')

PLAN = """
name = "GPUs on credit"
site = "georgia-50mw-mining"
module_from = "georgia-50mw-half-gpu"
[purchase]
kind = "gpu_modules"
usd_per_mw = 27e6
lead_years = 0.5
miner_usd_per_th_s = 4.5
[sale]
btc = 3000
proceeds_usd = 255e6
cost_percent = 0.3
[loan]
principal_usd = 200e6
collateral_btc = 6000
margin_call_ltv_percent = 75
liquidation_ltv_percent = 85
interest_percent = 9
[finance]
years = 5
discount_percent = 12
residual_percent = 10
"""
HASHRATE = """
name = "Hash rate"
site = "georgia-50mw-mining"
[purchase]
kind = "hashrate"
price_usd = 120e6
hashrate_eh_s = 10
[finance]
discount_percent = 11
"""


def site_lines(text, tmp_path):
    path = tmp_path / "slip.toml"
    path.write_text(text, encoding="utf-8")
    try:
        return load_site(path, resolve_device).flags
    except InputError as error:
        return error.faults


def plan_lines(text, tmp_path):
    path = tmp_path / "slip.toml"
    path.write_text(text, encoding="utf-8")
    try:
        return plan_doubts(list(numbers_of(read_plan(path))), path)
    except InputError as error:
        return error.faults
