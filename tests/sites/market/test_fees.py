"""Transaction fees stated in BTC per block, which do not halve with the subsidy."""

import numpy as np
import pytest

from bench.device_rates import resolve_device
from hardware_profiles.reading import read_toml, validate
from sites.dispatch.year import site_year
from sites.examples import example_path
from sites.file.build import build_site
from sites.file.site_file import SiteFile
from sites.market.mining import hourly_fees_frac
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
