"""What a block's revenue rests on: capital, rent, utilisation, the market's volume, the network and its halving."""

from dataclasses import replace
from datetime import date

import numpy as np
import pytest

from bench.device_rates import resolve_device
from hardware_profiles.reading import read_toml, validate
from sites.dispatch.year import site_year
from sites.examples import example_path
from sites.file.build import build_site
from sites.file.site_file import SiteFile
from sites.market.mining import expected_btc
from sites.market.published_market import estimated_usd_per_th_s, gpu_rent, miner_prices, token_market
from sites.modes import PointStep
from sites.perspective.blocks import net_after_capital_usd, perspectives, sentences
from sites.perspective.inference import breakeven_utilisation_frac

TODAY = date(2026, 11, 30)


def site_of(**changes):
    """Return the example site with changed tables: `inference={"modules": 4}`."""
    path = example_path()
    document = validate(SiteFile, read_toml(path), path).model_dump(mode="json", exclude_unset=True)
    for table, values in changes.items():
        if values is None:
            document.pop(table)
        else:
            target = document[table][0] if isinstance(document[table], list) else document[table]
            target.update(values)
    return build_site(validate(SiteFile, document, path), resolve_device, str(path))


@pytest.fixture(scope="module")
def year():
    return site_year(site_of())


@pytest.fixture(scope="module")
def miners(year):
    return perspectives(year)[0]


@pytest.fixture(scope="module")
def modules(year):
    return perspectives(year)[1]


def test_the_payments_repay_the_capital_less_its_residual_value(modules):
    payments = [modules.capital.usd_per_year / 1.12**year for year in range(1, 6)]
    assert sum(payments) + 0.10 * modules.capital.usd / 1.12**5 == pytest.approx(modules.capital.usd)


def test_the_capital_of_gpus_counts_the_facility_and_the_spares(year, modules):
    block = year.site.inference[0]
    facility_mw = block.count * block.watts_per_gpu / 1e6 * year.site.gpu_pue.mean()
    assert modules.capital.usd == pytest.approx(29e6 * facility_mw)


def test_a_miner_between_two_classes_has_a_price_between_theirs_and_none_outside():
    best, worst = miner_prices()[0], miner_prices()[-1]
    middle = estimated_usd_per_th_s((best.j_per_th + worst.j_per_th) / 2)
    assert middle == pytest.approx((best.usd_per_th_s * worst.usd_per_th_s) ** 0.5)
    assert estimated_usd_per_th_s(best.j_per_th) == best.usd_per_th_s
    assert estimated_usd_per_th_s(best.j_per_th - 0.1) is None
    assert estimated_usd_per_th_s(worst.j_per_th + 0.1) is None


def test_a_stated_price_of_miners_is_used_as_it_is():
    site = site_of(capital={"miner_usd_per_th_s": 10, "mining_usd_per_mw": 0})
    block = site.mining[0]
    item = perspectives(site_year(site))[0]
    assert item.capital.usd == pytest.approx(block.count * block.rate.rate_per_s / 1e12 * 10)


def test_without_a_capital_table_nothing_is_assumed():
    items = perspectives(site_year(site_of(capital=None)))
    assert [item.capital for item in items] == [None, None]
    assert [item.after_capital_usd for item in items] == [None, None]
    assert net_after_capital_usd(site_year(site_of(capital=None))) is None
    assert any(line.startswith("capital cost unknown") for line in sentences(items[0], TODAY))


def test_the_net_after_capital_is_the_net_less_both_payments(year, miners, modules):
    expected = year.net_usd - miners.capital.usd_per_year - modules.capital.usd_per_year
    assert net_after_capital_usd(year) == pytest.approx(expected)


def test_a_served_gpu_hour_earns_the_price_of_its_tokens(year, modules):
    block = year.site.inference[0]
    figures = modules.inference
    assert figures.usd_per_served_gpu_hour == pytest.approx(block.rate.rate_per_s * 3600 / 1e6 * 0.42)
    assert figures.usd_per_installed_gpu_hour == pytest.approx(modules.year.revenue_usd / (1024 * 8760))


def test_at_the_breakeven_utilisation_nothing_remains_after_capital(modules):
    """Demand is set to the break-even; revenue then equals power and capital."""
    needed = modules.inference.breakeven_utilisation_frac
    scale = needed / modules.inference.utilisation_frac
    again = perspectives(site_year(site_of(inference={"demand_percent": 40 * scale})))[1]
    assert again.inference.utilisation_frac == pytest.approx(needed, rel=1e-3)
    assert again.after_capital_usd == pytest.approx(0.0, abs=2e-3 * again.capital.usd_per_year)


def test_no_utilisation_breaks_even_if_full_load_does_not():
    assert breakeven_utilisation_frac(100.0, 10.0, 0.3, 95.0) is None
    assert breakeven_utilisation_frac(100.0, 10.0, 0.3, 0.0) == pytest.approx(3.0 / 93.0)
    steps = (PointStep("8 at a time", 0.4, 0.7), PointStep("64 at a time", 0.6, 0.3))
    assert breakeven_utilisation_frac(100.0, 50.0, 0.0, 30.0, 0.0, steps) == pytest.approx(0.7 * 30.0 / 50.0)
    assert breakeven_utilisation_frac(100.0, 20.0, 0.0, 65.0, 0.0, steps) == pytest.approx(0.7 + 0.3 * 3.0 / 18.0)
    assert breakeven_utilisation_frac(100.0, 50.0, 0.0, 51.0, 0.0, steps) is None


def test_tokens_are_compared_with_the_market_together_with_their_input(modules):
    output = modules.year.units / 365
    assert modules.inference.tokens_per_day == pytest.approx(2 * output)
    assert modules.inference.market_share_frac == pytest.approx(2 * output / token_market().tokens_per_day)


def test_the_rent_belongs_to_the_gpu_that_the_name_states():
    assert gpu_rent("Llama 3.3 70B fp8 on 2 x NVIDIA H200 SXM 141 GB").gpu == "H200"
    assert gpu_rent("something on NVIDIA GB200") is None


def test_the_example_is_interactive_and_within_the_rent(modules):
    figures = modules.inference
    assert (figures.rate_class, figures.price_class) == ("interactive", "interactive")
    assert figures.tpot_s <= 0.04
    assert "within the rent of an H200" in figures.rent_text
    assert figures.market_share_frac < 0.05


def test_an_offline_rate_at_an_interactive_price_is_flagged():
    offline = {"device": "llm:llama-3.3-70b:fp8:nvidia-h200x2:1000:1000"}
    (flag,) = [line for line in site_of(inference=offline).flags if "offline" in line]
    assert flag.startswith("inference[gpu modules]: tokens at an offline rate (latency limit: none (offline))")
    assert not [f for f in site_of(inference={**offline, "price_class": "batch"}).flags if "offline" in f]


def test_the_network_share_and_the_hashprice_agree_with_the_yield(year, miners):
    """A share of the network earns that share of the subsidy, and hashprice times hash rate is the gross revenue."""
    hash_rate = year.site.mining[0].count * year.site.mining[0].rate.rate_per_s
    gross = expected_btc(hash_rate, year.site.start_s, year.site.start_s + 3600 * year.hours, fees_frac=0.01)
    assert miners.mining.hashprice_usd_per_ph_s_day * hash_rate / 1e15 * 365 == pytest.approx(gross * 84714, rel=1e-9)
    assert miners.mining.network_share_frac * 3.125 * 1.01 * 144 * 365 == pytest.approx(gross, rel=0.02)


def test_a_halving_within_the_year_is_told_with_both_regimes():
    item = perspectives(site_year(site_of(site={"start": "2028-01-01"})))[0]
    (halving,) = item.mining.halvings
    assert halving.day.year == 2028
    assert halving.before_usd_per_mwh == pytest.approx(2 * halving.after_usd_per_mwh, rel=0.01)
    assert any(f"halves about {halving.day}" in line for line in sentences(item, TODAY))
    assert perspectives(site_year(site_of()))[0].mining.halvings == ()


def test_old_difficulty_data_say_their_age_and_fresh_ones_do_not(miners):
    known = miners.mining.difficulty_known_until
    assert any(f"difficulty data end {known}, 5 months ago" in line for line in sentences(miners, TODAY))
    assert not any("difficulty data end" in line for line in sentences(miners, known))


def test_miners_that_never_run_have_no_amounts_per_mwh(year):
    site = replace(year.site, spot_usd_per_mwh=np.full(year.hours, 1e5))
    item = perspectives(site_year(site))[0]
    assert item.after_capital_usd_per_mwh is None
    assert item.mining.power_cents_per_kwh is None
    assert list(sentences(item, TODAY))


LEASE = {"usd_per_kw_month": 150, "usd_per_mtok": None}


def let(**changes):
    """Return the perspective on the example's GPUs with other terms, and its line about utilisation."""
    path = example_path()
    document = validate(SiteFile, read_toml(path), path).model_dump(mode="json", exclude_unset=True)
    document["cost"] = changes.pop("cost", {})
    block = {**document["inference"][0], **changes}
    document["inference"] = [{key: value for key, value in block.items() if value is not None}]
    site = build_site(validate(SiteFile, document, path), resolve_device, str(path))
    item = perspectives(site_year(site))[1]
    (line,) = [line for line in sentences(item, TODAY) if "utilisation" in line]
    return item, line


def test_a_lease_has_no_break_even_utilisation():
    item, line = let(**LEASE)
    assert line == (
        f"the rent of {item.inference.rent_usd / 1e6:,.4g} M USD a year is due whatever the tenant draws: "
        "there is no break-even utilisation"
    )
    assert (item.inference.utilisation_frac, item.inference.breakeven_utilisation_frac) == (None, None)


def test_a_minimum_that_is_not_taken_is_no_revenue_of_a_higher_utilisation():
    """At 2 USD and a minimum of 20 % the break-even is that of the price alone, however little is taken."""
    terms = {"usd_per_mtok": None, "usd_per_gpu_hour": 2.5}
    plain, _ = let(**terms, demand_percent=40)
    little, _ = let(**terms, demand_percent=5, take_or_pay_percent=20)
    assert little.inference.breakeven_utilisation_frac == pytest.approx(
        plain.inference.breakeven_utilisation_frac, rel=1e-6
    )


def test_a_minimum_that_pays_everything_says_so():
    _, line = let(usd_per_mtok=None, usd_per_gpu_hour=4.0, take_or_pay_percent=90, demand_percent=5)
    assert line.endswith("the minimum of the contract pays power and capital at any utilisation")


def test_power_that_a_tenant_pays_is_no_revenue_at_the_break_even():
    free, _ = let(usd_per_mtok=None, usd_per_gpu_hour=2.5, tenant_pays_energy=True, demand_percent=40)
    needed = free.inference.breakeven_utilisation_frac
    block = free.capital
    working = 1024 * 8760 * 2.5
    assert needed == pytest.approx(block.usd_per_year / working, rel=0.2)
    lent, _ = let(usd_per_mtok=None, usd_per_gpu_hour=2.5, tenant_pays_energy=True, demand_percent=80)
    assert lent.inference.breakeven_utilisation_frac == pytest.approx(needed, rel=1e-9)


def test_gpus_that_never_ran_pay_for_power_at_their_break_even(year):
    dear = replace(year.site, spot_usd_per_mwh=np.full(year.hours, 1e6))
    assert perspectives(site_year(dear))[1].inference.breakeven_utilisation_frac is None


def test_a_break_even_says_which_costs_of_the_site_it_leaves_out():
    assert let(cost={"fixed_usd_per_year": 1_000_000})[1].endswith(", without the site's fixed cost")
    assert "without" not in let()[1]
