"""How long a year takes, once compiled: `pytest tests/sites/dispatch/test_speed.py --benchmark-only`."""

from pathlib import Path

import pytest

from bench.device_rates import resolve_device
from sites.dispatch.year import fleet_year, site_year
from sites.examples import example_path
from sites.file.inputs import read_inputs


def sites_of(name):
    return [site for _, site in read_inputs(example_path(name), resolve_device)]


@pytest.fixture
def full_site(tmp_path, full_site_text, devices):
    path = Path(tmp_path) / "full.toml"
    path.write_text(full_site_text, encoding="utf-8")
    ((_, site),) = read_inputs(path, devices)
    return site


def test_a_year_of_the_example_site(benchmark):
    """Wanted: under 5 ms."""
    (site,) = sites_of("georgia-50mw-gpu-modules")
    benchmark.pedantic(site_year, args=(site,), rounds=60, warmup_rounds=3)
    benchmark.extra_info["hours"] = site.hours


def test_a_year_of_a_site_with_everything(benchmark, full_site):
    """Nine parts, demand charge, contract, events; wanted: under 5 ms."""
    benchmark.pedantic(site_year, args=(full_site,), rounds=60, warmup_rounds=3)
    benchmark.extra_info["parts"] = 9


def test_a_year_of_a_fleet_of_40(benchmark):
    """Wanted: under 0.2 s."""
    sites = sites_of("fleet-40-sites")
    benchmark.pedantic(fleet_year, args=(sites,), rounds=20, warmup_rounds=2)
    benchmark.extra_info["sites"] = len(sites)


def test_a_year_of_40_sites_with_everything(benchmark, full_site):
    """Forty times the site with nine parts and a demand charge; wanted: under 0.2 s."""
    benchmark.pedantic(fleet_year, args=([full_site] * 40,), rounds=20, warmup_rounds=2)
