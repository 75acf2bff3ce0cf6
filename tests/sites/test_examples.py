"""The bundled examples: every value with its source, sizes as said, and names that are found."""

import math

import pytest

from hardware_profiles.errors import InputError
from sites.dispatch.year import site_year
from sites.examples import example_names, example_path, site_path
from sites.file.inputs import read_inputs


@pytest.mark.parametrize("name", example_names())
def test_a_bundled_example_has_a_source_or_says_assumption_for_every_value(name):
    from bench.device_rates import resolve_device

    for _, site in read_inputs(example_path(name), resolve_device):
        assert all(a.source and a.date for a in site.assumptions)
        year = site_year(site)
        assert math.isfinite(year.net_usd)


def test_the_example_fleet_has_40_sites_in_four_regions_with_50_eh_s():
    from bench.device_rates import resolve_device

    sites = [site for _, site in read_inputs(example_path("fleet-40-sites"), resolve_device)]
    assert len(sites) == 40
    assert len({site.region for site in sites}) == 4
    assert sum(b.count * b.rate.rate_per_s for s in sites for b in s.mining) == pytest.approx(50e18, rel=2e-3)


def test_an_example_goes_by_its_name_and_a_misspelt_one_lists_the_near():
    assert site_path("georgia-50mw-gpu-modules") == example_path()
    with pytest.raises(InputError, match="did you mean georgia-50mw-mining"):
        site_path("georgia-50mw-minig")
