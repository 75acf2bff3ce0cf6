"""Fleet files: what is merged into each site, and one line for each thing that is wrong with them."""

import pytest

from hardware_profiles.errors import InputError
from sites.file.fleet_file import read_site_files

FLEET = """
[fleet]
name = "two"
[defaults.site]
start = 2026-01-01
[defaults.power]
interconnect_mw = 10
[defaults.cooling]
mining_pue = 1.05
[defaults.market]
btc_usd = { value = 80000, source = "a page", date = "2026-01-01" }
fees_percent_of_subsidy = 1
[[defaults.mining]]
device = "air"
interconnect_percent = 100
pool_fee_percent = 1
[regions.north]
price.energy_usd_per_mwh = 40
[regions.south]
price.energy_usd_per_mwh = 50
[[sites]]
name = "a"
region = "north"
[[sites]]
name = "b"
region = "south"
tables.power.interconnect_mw = 20
"""


def test_a_fleet_file_merges_defaults_region_and_site(tmp_path):
    path = tmp_path / "fleet.toml"
    path.write_text(FLEET, encoding="utf-8")
    north, south = read_site_files(path)
    assert (north.site.name, north.power.interconnect_mw.value) == ("a", 10)
    assert (south.price.energy_usd_per_mwh.value, south.power.interconnect_mw.value) == (50, 20)
    assert south.market.btc_usd.source == "a page"


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ('region = "south"', 'region = "sout"', "key sites[1].region: expected a region of this file, got 'sout'"),
        ('name = "b"', 'name = "a"', "expected each name once, got 'a' again"),
        ("tables.power", "tables.powr", "site 'b': key powr: expected a known key"),
        ('[[sites]]\nname = "a"', '[[site]]\nname = "a"', "key site: expected a known key"),
    ],
)
def test_a_mistake_in_a_fleet_file_names_the_site(tmp_path, old, new, message):
    path = tmp_path / "fleet.toml"
    path.write_text(FLEET.replace(old, new), encoding="utf-8")
    with pytest.raises(InputError) as caught:
        read_site_files(path)
    assert message in str(caught.value)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        (
            "tables.power",
            "tables.site.name = 'x'\ntables.power",
            "key sites[1].tables.site.name: expected",
        ),
        ("[defaults.site]", "[defaults.site]\nregion = 'x'", "key defaults.site.region: expected it only as "),
        (
            "[regions.south]",
            "[regions.east]\nprice.enrgy = 1\n[regions.south]",
            "key regions.east: expected a site",
        ),
    ],
)
def test_what_a_fleet_file_would_pass_over_is_refused(tmp_path, old, new, message):
    path = tmp_path / "fleet.toml"
    path.write_text(FLEET.replace(old, new), encoding="utf-8")
    with pytest.raises(InputError) as caught:
        read_site_files(path)
    assert message in str(caught.value)
