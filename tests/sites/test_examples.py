"""The bundled examples: every value with its source, sizes as said, and names that are found."""

import math

import pytest

from hardware_profiles.errors import InputError
from sites.dispatch.year import site_year
from sites.examples import example_names, example_path, site_path
from sites.file.inputs import read_inputs
from sites.horizon.statement import statement
from sites.horizon.years import run_years


@pytest.mark.parametrize("name", example_names())
def test_a_bundled_example_has_a_source_or_says_assumption_for_every_value(name):
    from bench.device_rates import resolve_device

    for inputs, site in read_inputs(example_path(name), resolve_device):
        assert all(a.source and a.date for a in site.assumptions)
        if inputs.file.horizon is None:
            assert math.isfinite(site_year(site).net_usd)
        else:
            assert math.isfinite(statement(run_years(inputs, site, inputs.file.horizon.years)).total["cash_usd"])


def test_the_example_fleet_has_40_sites_in_four_regions_with_50_eh_s():
    from bench.device_rates import resolve_device

    sites = [site for _, site in read_inputs(example_path("fleet-40-sites"), resolve_device)]
    assert len(sites) == 40
    assert len({site.region for site in sites}) == 4
    assert sum(b.count * b.rate.rate_per_s for s in sites for b in s.mining) == pytest.approx(50e18, rel=2e-3)


def test_the_example_of_five_years_is_the_same_fleet_with_two_phases_and_a_conversion():
    """Until the first phase ends, all sites but Georgia do what they do in the fleet of one year."""
    from bench.device_rates import resolve_device

    fleet = {site.name: site for _, site in read_inputs(example_path("fleet-40-sites"), resolve_device)}
    read = read_inputs(example_path("fleet-40-sites-five-years"), resolve_device)
    assert {site.name for _, site in read} == fleet.keys()
    for inputs, site in read[::9]:
        done = statement(run_years(inputs, site, 5))
        assert done.yearly["net_usd"][0] == pytest.approx(site_year(fleet[site.name]).net_usd, rel=1e-9)
    phased = [site.name for _, site in read if any(block.name == "phase 2" for block in site.blocks)]
    assert phased == [f"east-africa {number:02d}" for number in range(1, 9)]
    assert [site.name for inputs, site in read if inputs.file.horizon.conversion] == ["Georgia"]


def test_an_example_goes_by_its_name_and_a_misspelt_one_lists_the_near():
    assert site_path("georgia-50mw-gpu-modules") == example_path()
    with pytest.raises(InputError, match="did you mean georgia-50mw-mining"):
        site_path("georgia-50mw-minig")
