"""A site with one block alone on its interconnect."""

import pytest

from bench.device_rates import resolve_device
from hardware_profiles.errors import InputError
from hardware_profiles.reading import read_toml, validate
from sites.dispatch.problem import meter_mw
from sites.examples import example_path
from sites.file.build import build_site
from sites.file.site_file import SiteFile
from sites.perspective.one_device import filled


@pytest.fixture(scope="module")
def planned():
    return validate(SiteFile, read_toml(example_path()), example_path())


def test_a_block_alone_fills_the_interconnect(planned):
    both = build_site(planned, resolve_device, str(example_path()))
    for block in both.blocks:
        site = build_site(filled(planned, example_path(), block.name), resolve_device, str(example_path()))
        (alone,) = site.blocks
        assert alone.rate == block.rate
        assert meter_mw(site, alone) == pytest.approx(site.interconnect_mw, rel=0.04), "a module is not divided"


def test_a_block_takes_another_device(planned):
    site = build_site(filled(planned, example_path(), "miners", "antminer-s21"), resolve_device, str(example_path()))
    (block,) = site.blocks
    assert block.rate.name == "antminer-s21:200t"
    assert site.inference == ()


def test_an_unknown_block_is_refused_with_near_names(planned):
    with pytest.raises(InputError, match=r"expected a block of the site, got 'miner' \(did you mean miners\?\)"):
        filled(planned, example_path(), "miner")
