"""Slips of units, signs, zones, thousands, periods and keys, each alone in a file that was right before."""

import pytest
from doubles.right_sites import (
    EURO,
    FLAT,
    HASHRATE,
    LEASE,
    MEGAWATTS,
    PAST,
    PLAN,
    RENT,
    SHARES,
    SITE,
    plan_lines,
    site_lines,
)

SITE_SLIPS = [
    (FLAT, "energy_usd_per_mwh = 38", "energy_usd_per_mwh = 0.038", "price.energy_usd_per_mwh", "38"),
    (FLAT, "energy_usd_per_mwh = 38", "energy_usd_per_mwh = 3.8", "price.energy_usd_per_mwh", "38"),
    (FLAT, "energy_usd_per_mwh = 38", "energy_usd_per_mwh = 38000", "price.energy_usd_per_mwh", "38"),
    (FLAT, "energy_usd_per_mwh = 38", "energy_usd_per_mwh = 520", "another currency? name it with currency and", ""),
    (FLAT, "energy_usd_per_mwh = 38", "energy_usd_per_mwh = -38", "price.energy_usd_per_mwh", "38"),
    (SITE, "base_usd_per_mwh = 38", "base_usd_per_mwh = 0.038", "base_usd_per_mwh", "38"),
    (SITE, "usd_per_mwh = 120", "usd_per_mwh = 0.12", "period[0].usd_per_mwh", "120"),
    (SITE, "usd_per_mwh = 41", "usd_per_mwh = 4.1", "price.contract.usd_per_mwh", "41"),
    (SITE, "resale_discount_usd_per_mwh = 2", "resale_discount_usd_per_mwh = 0.002", "resale_discount", "2"),
    (SITE, "delivery_usd_per_mwh = 5", "delivery_usd_per_mwh = 0.005", "delivery_usd_per_mwh", "5"),
    (SITE, "delivery_usd_per_mwh = 5", "delivery_usd_per_mwh = -5", "delivery_usd_per_mwh", "5"),
    (SITE, "delivery_usd_per_mwh = 5", "delivery_usd_per_mwh = 0.5", "delivery_usd_per_mwh", "5"),
    (SITE, "delivery_usd_per_mwh = 5", "delivery_usd_per_mwh = 0.4", "delivery_usd_per_mwh", "4"),
    (SITE, "month = 6.5", "month = 36", "demand_charge_usd_per_kw_month", "3"),
    (SITE, "month = 6.5", "month = 78", "demand_charge_usd_per_kw_month", "6.5"),
    (SITE, "month = 6.5", "month = 6500", "demand_charge_usd_per_kw_month", "6.5"),
    (SITE, "usd_per_kw_year = 68", "usd_per_kw_year = 5.67", "price.coincident.usd_per_kw_year", "68.04"),
    (SITE, "usd_per_kw_year = 68", "usd_per_kw_year = 68000", "price.coincident.usd_per_kw_year", "68"),
    (SITE, "ready_usd_per_mw_hour = 4", "ready_usd_per_mw_hour = 2920", "ready_usd_per_mw_hour", "4"),
    (SITE, "ready_usd_per_mw_hour = 4", "ready_usd_per_mw_hour = 0.004", "ready_usd_per_mw_hour", "4"),
    (SITE, "credit_usd_per_mwh = 150", "credit_usd_per_mwh = 0.15", "credit_usd_per_mwh", "150"),
    (SITE, "credit_usd_per_mwh = 150", "credit_usd_per_mwh = -150", "credit_usd_per_mwh", "150"),
    (SITE, "hours = 3\n", "hours = 180\n", "curtailment.event[0].hours", "3"),
    (SITE, "hours = 36\n", "hours = 2160\n", "power.outage[0].hours", "36"),
    (SITE, "enrolled_mw = 10", "enrolled_mw = 10000", "enrolled_mw", ""),
    (SITE, "interconnect_mw = 40", "interconnect_mw = 40000", "power.interconnect_mw", "40"),
    (SITE.replace("mw = 15", "mw = 0.01").replace("enrolled_mw = 10", "enrolled_mw = 0.01").replace(
        "limit_mw = 10", "limit_mw = 0.01"), "interconnect_mw = 40", "interconnect_mw = 0.04", "interconnect_mw", "40"),
    (SITE, "count = 5000", "count = 5", "mining[rigs].count", "5000"),
    (SITE, "count = 5000", "count = 5000000", "mining[rigs].count", "5000"),
    (MEGAWATTS, "facility_mw = 18", "facility_mw = 18000", "mining[rigs].facility_mw", "18"),
    (SITE, "gpus = 8192", "gpus = 16", "inference[chat].gpus", ""),
    (SITE, "gpus = 8192", "modules = 8192", "inference[chat].modules", ""),
    (SHARES, "interconnect_percent = 45", "interconnect_percent = 0.45", "mining[rigs].interconnect_percent", "45"),
    (SITE, "difficulty = 150e12", "difficulty = 150", "market.difficulty[0].difficulty", "150e12"),
    (SITE, "difficulty = 150e12", "difficulty = 150e9", "market.difficulty[0].difficulty", "150e12"),
    (SITE, "difficulty = 150e12", "difficulty = 1100", "market.difficulty[0].difficulty", "153.668e12"),
    (SITE, "btc_usd = 85000", "btc_usd = 85.0", "market.btc_usd", "85000"),
    (SITE, "btc_usd = 85000", "btc_usd = 1176", "market.btc_usd", ""),
    (SITE, "btc_usd = 85000", "btc_usd = 12750000", "market.btc_usd", ""),
    (SITE, "btc_usd = 85000", "btc_usd = 8500000", "market.btc_usd", "85000"),
    (SITE, "subsidy = 1.2", "subsidy = 0.012", "fees_percent_of_subsidy", "1.2"),
    (SITE, "fees_percent_of_subsidy = 1.2", "fees_btc_per_block = 3750000", "fees_btc_per_block", "0.0375"),
    (SITE, "growth_percent_per_year = 15", "growth_percent_per_year = 0.15", "difficulty_growth", "15"),
    (SITE, "losses_percent = 2", "losses_percent = 0.02", "power.losses_percent", "2"),
    (SITE, "losses_percent = 2", "losses_percent = 98", "power.losses_percent", "2"),
    (SITE, "losses_percent = 2", "losses_percent = -2", "power.losses_percent", "2"),
    (SITE, "availability_percent = 97", "availability_percent = 0.97", "power.availability_percent", "97"),
    (SITE, "availability_percent = 95", "availability_percent = 5", "mining[rigs].availability_percent", "95"),
    (SITE, "rejects_percent = 0.4", "rejects_percent = 99.6", "mining[rigs].rejects_percent", "0.4"),
    (SITE, "pool_fee_percent = 1.5", "pool_fee_percent = 0.015", "mining[rigs].pool_fee_percent", "1.5"),
    (SITE, "pool_fee_percent = 1.5", "pool_fee_percent = 98.5", "mining[rigs].pool_fee_percent", "1.5"),
    (SITE, "available_percent = 20", "available_percent = 0.2", "power.outage[0].available_percent", "20"),
    (SITE, "demand_percent = 45", "demand_percent = 0.45", "inference[chat].demand_percent", "45"),
    (SITE, "idle_percent = 25", "idle_percent = 0.25", "inference[chat].idle_percent", "25"),
    (SITE, "sla_percent = 30", "sla_percent = 0.3", "inference[chat].sla_percent", "30"),
    (SITE, "penalty_percent = 100", "penalty_percent = 1.0", "sla_penalty_percent", "100"),
    (SITE, "mining_pue = 1.06", "mining_pue = 106", "cooling.mining_pue", "1.06"),
    (SITE, "gpu_pue = 1.28", "gpu_pue = 0.78", "cooling.gpu_pue", "1.28205"),
    (SITE, "mining_pue = 1.06\ngpu_pue = 1.28", "mining_pue = 1.28\ngpu_pue = 1.06", "cooling.mining_pue", ""),
    (SITE, "gpu_pue_per_c = 0.004", "gpu_pue_per_c = 0.4", "cooling.gpu_pue_per_c", "0.004"),
    (SITE, "[8, 11, 16, 20, 25, 29, 31, 31, 27,", "[46, 52, 61, 68, 77, 84, 88, 88, 81,", "climate.mean_c_by", ""),
    (SITE, "derate_above_c = 38\nmining_stop_above_c = 48", "derate_above_c = 100\nmining_stop_above_c = 118",
     "climate.mining_derate_above_c", "37.7778"),
    (SITE, "daily_swing_c = 12", "daily_swing_c = 22", "climate.daily_swing_c", "12.2222"),
    (SITE, "[8, 11, 16, 20, 25, 29, 31, 31, 27, 21, 14, 9]", "[31, 31, 27, 21, 14, 9, 8, 11, 16, 20, 25, 29]",
     "climate.mean_c_by_month: expected June to August to be the warmest months at latitude 42 north", ""),
    (FLAT, "energy_usd_per_mwh = 38", "energy_usd_per_mwh = 380", "another currency? name it with currency and", ""),
    (SITE, "usd_per_mtok = 0.6", "usd_per_mtok = 42", "inference[chat].usd_per_mtok", "0.42"),
    (PAST, "btc_usd = 20000", "btc_usd = 84714", "29,500 USD/BTC in 2020, got 84,714 (the price of", ""),
    (SITE, "kg_per_mwh = 370", "kg_per_mwh = 0.37", "carbon.kg_per_mwh", "370"),
    (SITE, "usd_per_year = 2400000", "usd_per_year = 2.4", "cost.fixed_usd_per_year", "2400000"),
    (SITE, "usd_per_mtok = 0.6", "usd_per_mtok = 600", "inference[chat].usd_per_mtok", "0.6"),
    (SITE, "usd_per_mtok = 0.6", "usd_per_mtok = 0.0006", "inference[chat].usd_per_mtok", "0.6"),
    (RENT, "usd_per_gpu_hour = 2.4", "usd_per_gpu_hour = 1752", "inference[chat].usd_per_gpu_hour", "2.4"),
    (RENT, "usd_per_gpu_hour = 2.4", "usd_per_gpu_hour = 19.2", "inference[chat].usd_per_gpu_hour", "2.4"),
    (LEASE, "usd_per_kw_month = 150", "usd_per_kw_month = 1800", "inference[chat].usd_per_kw_month", "150"),
    (LEASE, "usd_per_kw_month = 150", "usd_per_kw_month = 150000", "inference[chat].usd_per_kw_month", "150"),
    (SITE, "power_w = 1300", "power_w = 1.3", "inference[chat].rate.power_w", "1300"),
    (SITE, "power_w = 1300", "power_w = 10400", "inference[chat].rate.power_w", "1300"),
    (SITE, "tokens_per_s = 2100", "tokens_per_s = 7560000", "inference[chat].rate.tokens_per_s", "2100"),
    (SITE, "start = 2027-01-01\n[power]", "start = 2072-01-01\n[power]", "site.start", ""),
    (SITE, "America/Chicago", "Europe/Oslo", "site.timezone", ""),
    (SITE, "America/Chicago", "Etc/GMT+6", "site.timezone", ""),
    (EURO, "Europe/Oslo", "America/Oslo", "site.timezone", ""),
    (EURO, "Europe/Oslo", "Asia/Muscat", "site.timezone", ""),
    (EURO, "per_usd = 0.92", "per_usd = 1.087", "price.currency_per_usd", "0.919963"),
    (EURO, 'currency = "EUR"', 'currency = "NOK"', "price.currency_per_usd", ""),
    (SITE, "age_years = 1.5", "age_years = 18", "mining[rigs].age_years", "1.5"),
]  # fmt: skip

PLAN_SLIPS = [
    (PLAN, "usd_per_mw = 27e6", "usd_per_mw = 27000", "purchase.usd_per_mw", "27000000"),
    (PLAN, "lead_years = 0.5", "lead_years = 6", "purchase.lead_years", "0.5"),
    (PLAN, "miner_usd_per_th_s = 4.5", "miner_usd_per_th_s = 4500", "purchase.miner_usd_per_th_s", "4.5"),
    (PLAN, "proceeds_usd = 255e6", "proceeds_usd = 255", "sale.proceeds_usd", "255000000"),
    (PLAN, "interest_percent = 9", "interest_percent = 0.09", "loan.interest_percent", "9"),
    (
        PLAN,
        "call_ltv_percent = 75\nliquidation_ltv_percent = 85",
        "call_ltv_percent = 0.75\nliquidation_ltv_percent = 0.85",
        "loan.margin_call_ltv_percent",
        "75",
    ),
    (PLAN, "discount_percent = 12", "discount_percent = 0.12", "finance.discount_percent", "12"),
    (PLAN, "residual_percent = 10", "residual_percent = 0.1", "finance.residual_percent", "10"),
    (HASHRATE, "hashrate_eh_s = 10", "hashrate_eh_s = 10000", "purchase.price_usd", ""),
]


@pytest.mark.parametrize("text", [SITE, EURO, RENT, LEASE, SHARES, MEGAWATTS, FLAT, PAST])
def test_the_sites_are_right_before_their_slips(tmp_path, text):
    assert site_lines(text, tmp_path) == ()


@pytest.mark.parametrize("text", [PLAN, HASHRATE])
def test_the_plans_are_right_before_their_slips(tmp_path, text):
    assert plan_lines(text, tmp_path) == ()


def caught(lines, key, meant):
    return any(key in line and (not meant or f"write {meant}" in line) for line in lines)


@pytest.mark.parametrize("slip", SITE_SLIPS, ids=lambda slip: f"{slip[3]} {slip[2].splitlines()[0]}")
def test_a_slip_in_a_site_is_named_with_what_was_meant(tmp_path, slip):
    text, old, new, key, meant = slip
    assert old in text
    lines = site_lines(text.replace(old, new, 1), tmp_path)
    assert caught(lines, key, meant), lines


@pytest.mark.parametrize("slip", PLAN_SLIPS, ids=lambda slip: f"{slip[3]} {slip[2].splitlines()[0]}")
def test_a_slip_in_a_capital_plan_is_named_with_what_was_meant(tmp_path, slip):
    text, old, new, key, meant = slip
    assert old in text
    lines = plan_lines(text.replace(old, new, 1), tmp_path)
    assert caught(lines, key, meant), lines
