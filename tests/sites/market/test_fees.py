"""Transaction fees stated in BTC per block, which do not halve with the subsidy."""

import numpy as np
import pytest

from bench.device_rates import resolve_device
from hardware_profiles.reading import read_toml, validate
from sites.capital.switching import site_hashprice
from sites.dispatch.year import site_year
from sites.examples import example_path
from sites.file.build import build_site
from sites.file.site_file import SiteFile
from sites.market.bitcoin import stretches
from sites.market.mining import expected_btc, hourly_fees_frac
from sites.perspective.blocks import perspectives
from sites.plausible.relations import network_of
from sites.scenarios.case import site_case
from sites.scenarios.defaults import default_model

PATH = example_path("georgia-50mw-mining")


def site_of(start, **fees):
    document = validate(SiteFile, read_toml(PATH), PATH).model_dump(mode="json", exclude_unset=True)
    document["market"].pop("fees_percent_of_subsidy")
    document["market"] |= fees
    document["site"]["start"] = start
    return build_site(validate(SiteFile, document, PATH), resolve_device, str(PATH))


def test_their_share_of_the_subsidy_doubles_at_the_halving():
    site = site_of("2028-01-01", fees_btc_per_block=0.0625)  # 2 % of 3.125 BTC
    assert site.fees_frac[0] == pytest.approx(0.02)
    assert site.fees_frac[-1] == pytest.approx(0.04)
    assert np.all(np.diff(site.fees_frac) >= 0)


def test_the_hour_of_the_halving_has_the_mean_of_its_parts():
    site = site_of("2028-01-01", fees_btc_per_block=0.0625)
    between = (site.fees_frac > 0.0201) & (site.fees_frac < 0.0399)
    assert between.sum() <= 1


@pytest.mark.parametrize(("start", "percent"), [("2026-01-01", 2), ("2029-01-01", 4)])
def test_a_year_without_a_halving_earns_as_with_the_same_share(start, percent):
    stated, shared = (
        site_of(start, fees_btc_per_block=0.0625), site_of(start, fees_percent_of_subsidy=percent),
    )  # fmt: skip
    assert site_year(stated).revenue_usd == pytest.approx(site_year(shared).revenue_usd, rel=1e-12)


def test_a_later_year_of_scenarios_has_the_fees_of_its_own_subsidy():
    stated = site_case(site_of("2026-01-01", fees_btc_per_block=0.0625), default_model(), year=3)
    shared = site_case(site_of("2026-01-01", fees_percent_of_subsidy=4), default_model(), year=3)
    assert np.allclose(stated.table, shared.table, rtol=1e-12)


def test_no_fees_are_no_share():
    assert not hourly_fees_frac(0.0, 1_800_000_000, 24).any()


def test_the_lines_about_a_halving_keep_the_fees_of_a_block_and_halve_the_subsidy_alone():
    site = site_of("2028-01-01", fees_btc_per_block=0.3125)
    ((halving,),) = (item.mining.halvings for item in perspectives(site_year(site)))
    before, after = 3.125 + 0.3125, 1.5625 + 0.3125
    assert halving.before_usd_per_mwh / halving.after_usd_per_mwh == pytest.approx(before / after, rel=1e-6)


def test_the_hashprice_of_a_year_with_a_halving_is_that_of_its_income():
    site = site_of("2028-01-01", fees_btc_per_block=0.3125)
    subsidy_btc = expected_btc(1e15, site.start_s, site.start_s + 3600 * site.hours, path=site.path)
    fees_btc = subsidy_btc * 0.3125 / mean_subsidy_btc(site)  # the difficulty is held, so that fees follow the blocks
    days = site.hours / 24
    assert site_hashprice(site) == pytest.approx((subsidy_btc + fees_btc) * site.btc_usd / days, rel=1e-9)


def test_the_network_pays_the_same_fees_before_and_after_a_halving():
    site = site_of("2028-01-01", fees_btc_per_block=0.3125)
    assert network_of(site).btc_per_day == pytest.approx(144 * (mean_subsidy_btc(site) + 0.3125), rel=1e-9)


def test_fees_by_month_are_those_of_the_months_on_each_side_of_the_halving():
    """Fees of 10 % until March and of 0 from April on: the days of April before the halving pay none."""
    site = site_of("2028-01-01", fees_percent_by_month=[10, 10, 10, *[0] * 9])
    plain = site_of("2028-01-01", fees_percent_of_subsidy=0)
    ((with_fees,),) = (item.mining.halvings for item in perspectives(site_year(site)))
    ((without,),) = (item.mining.halvings for item in perspectives(site_year(plain)))
    next_january = 1e-3  # the local year ends a few hours after that of the months, which are in UTC
    assert with_fees.after_usd_per_mwh == pytest.approx(without.after_usd_per_mwh, rel=next_january)
    assert 1.07 < with_fees.before_usd_per_mwh / without.before_usd_per_mwh < 1.1


def mean_subsidy_btc(site):
    parts = stretches(site.start_s, site.start_s + 3600 * site.hours, site.path)
    return sum((part.end_s - part.start_s) * part.subsidy_sat for part in parts) / (3600 * site.hours) / 1e8
