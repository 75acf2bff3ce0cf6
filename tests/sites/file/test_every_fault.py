"""All faults of a file are reported at once, one line each, and none that only follows from another."""

from pathlib import Path

import pytest

from hardware_profiles import catalog
from hardware_profiles.errors import Faults, InputError
from sites.capital.file import read_plan
from sites.file.fleet_file import read_site_files
from sites.file.inputs import read_inputs
from sites.scenarios.file import read_scenarios

BAD_SITE = """
[site]
name = "First try"
timezone = "Europe/Osloo"
start = 2027-01-01
[power]
interconect_mw = 10
losses_percent = 1200
[price]
currency = "NOK"
energy_usd_per_mwh = "42"
[market]
btc_usd = 84714
[[mining]]
device = "antminer-s21x"
facility_mw = 9
count = 3
payout = "fppps"
"""


def faults_of(read, tmp_path, text):
    path = tmp_path / "file.toml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(InputError) as caught:
        read(path)
    return [fault.removeprefix(f"{path}: ") for fault in caught.value.faults]


def starts(faults):
    return sorted(fault.partition(": ")[0] if fault.startswith(("key", "mining")) else fault for fault in faults)


def test_a_site_file_with_eleven_faults(tmp_path, resolve):
    faults = faults_of(lambda path: read_inputs(path, resolve), tmp_path, BAD_SITE)
    assert starts(faults) == [
        "expected cooling.mining_pue for a site with mining blocks, got none",
        "key market",  # no fees
        "key mining[0]",  # two sizes
        "key mining[0].payout",
        "key mining[0].pool_fee_percent",
        "key power.interconect_mw",
        "key power.losses_percent",
        "key price",  # no exchange rate
        "key price.energy_usd_per_mwh",
        "key site.timezone",
        "mining block 'mining'",  # no such device
    ]


def test_an_empty_file_names_every_key_that_a_site_needs(tmp_path):
    assert starts(faults_of(read_site_files, tmp_path, "")) == [
        "expected at least one [[mining]] or [[inference]] block, got none",
        "key market",
        "key market.btc_usd",
        "key power.interconnect_mw",
        "key price",
        "key site.name",
        "key site.start",
    ]


@pytest.mark.parametrize(
    ("old", "new", "key"),
    [
        ("pool_fee_percent", "pool_fee_percnt", "key mining[0].pool_fee_percnt"),  # and pool_fee_percent is missing
        ("energy_usd_per_mwh", "energy_usd_per_kwh", "key price.energy_usd_per_kwh"),  # and there is no price
        ("[market]", "[markets]", "key markets"),  # and there is no market
        ("interconnect_mw = 10", "interconnect_mw = []", "key power.interconnect_mw"),  # and the contract's limit
        ("start = 2026-01-01", 'start = "2026-13-01"', "key site.start"),
        ("facility_mw = 9", "facility_mw = 9\ndevices = 3", "key mining[0].devices"),
    ],
)
def test_what_only_follows_from_a_fault_is_not_reported(tmp_path, old, new, key):
    good = (Path(__file__).parents[1] / "small.toml").read_text(encoding="utf-8")
    good += "[price.contract]\nmw = 5\nusd_per_mwh = 30\nresale_discount_usd_per_mwh = 1\n"
    assert old in good
    assert starts(faults_of(read_site_files, tmp_path, good.replace(old, new))) == [key]


def test_a_rule_between_two_tables_is_checked_beside_faults_elsewhere(tmp_path):
    good = (Path(__file__).parents[1] / "small.toml").read_text(encoding="utf-8")
    bad = good.replace("pool_fee_percent = 1", "") + "[curtailment]\nenrolled_mw = 11\n"
    assert starts(faults_of(read_site_files, tmp_path, bad)) == [
        "key curtailment.enrolled_mw",
        "key mining[0].pool_fee_percent",
    ]


FLEET = """
[fleet]
name = "three"
[defaults]
site.start = 2026-01-01
cooling.mining_pue = 0.5
price.energy_usd_per_mwh = 40
market = {btc_usd = 80000, fees_percent_of_subsidy = 1}
mining = [{device = "air", interconnect_percent = 100, pool_fee_percent = 1}]
[regions.north]
"""


def test_a_fault_of_several_sites_of_a_fleet_is_one_line(tmp_path):
    table = '[[sites]]\nname = "{}"\nregion = "north"\ntables.power.interconnect_mw = {}\n'
    members = [table.format(name, mw) for name, mw in (("a", 5), ("b", 5), ("c", -5))]
    faults = faults_of(read_site_files, tmp_path, FLEET + "".join(members))
    assert [fault.partition(" (")[0] for fault in faults] == [
        "site 'a' and 2 more: key cooling.mining_pue: expected a PUE of 1 to 10, got 0.5",
        "site 'c': key power.interconnect_mw: expected a number of 0.001 to 100,000 MW, got -5",
    ]


def test_the_faults_of_a_fleets_names_and_regions(tmp_path):
    members = '[[sites]]\nname = "a"\nregion = "noth"\n[[sites]]\nname = "a"\nregion = "noth"\nsize = 3\n'
    assert starts(faults_of(read_site_files, tmp_path, FLEET + "[regions.far]\n" + members)) == [
        "key regions.far",
        "key sites",
        "key sites[0].region",
        "key sites[1].region",
        "key sites[1].size",
    ]


def test_the_faults_of_a_scenario_file(tmp_path):
    text = "measurement = 1\n[btc]\nvolatility_percent = -5\n[power]\ncommon_percent = 101\n[demnd]\n[cases]\nlow = 3\n"
    assert starts(faults_of(read_scenarios, tmp_path, text)) == [
        "key btc.volatility_percent",
        "key cases.low",
        "key demnd",
        "key measurement",
        "key power",
        "key power.common_percent",
    ]


def test_the_faults_of_the_models_of_a_scenario_file(tmp_path):
    text = "[btc]\nvolatility_percent = 1e17\n[power.series]\nfile = 'no.csv'\ncolumn = 'x'\nper_year = 12\n"
    assert [Path(fault.partition(": ")[0]).name for fault in faults_of(read_scenarios, tmp_path, text)] == ["no.csv"]
    text = "[btc]\nvolatility_percent = 1e17\n[demand]\nvolatility_percent = 1e17\n"
    assert [fault.split(": ")[1] for fault in faults_of(read_scenarios, tmp_path, text)] == ["btc", "demand"]


def test_the_faults_of_a_capital_plan(tmp_path):
    text = """
name = "n"
site = "s"
[purchase]
kind = "site"
[loan]
principal_usd = 100
repaid_usd = 200
collateral_btc = 0
margin_call_ltv_percent = 80
liquidation_ltv_percent = 70
[finance]
years = 99
"""
    assert starts(faults_of(read_plan, tmp_path, text)) == [
        "expected a [sale] that pays loan.repaid_usd, got none",
        "key finance.discount_percent",
        "key finance.years",
        "key loan",
        "key loan",
        "key loan.collateral_btc",
        "key purchase",
        "key purchase",
    ]


def test_the_faults_of_a_profile(tmp_path):
    text = (
        'profile_schema = 1\nkind = "gpu"\nmaker = ""\nmodel = "M"\nreleased = "2025-13"\ncolour = "red"\n[figures]\n'
    )
    faults = faults_of(catalog.read_device, tmp_path, text)
    assert starts(faults) == ["key colour", "key maker", "key released"]
    assert catalog.check_file(tmp_path / "file.toml") == [f"{tmp_path / 'file.toml'}: {fault}" for fault in faults]


def test_faults_are_collected_and_refused_together():
    faults = Faults()
    for location, text in (("a", "a: first"), ("b", "b: first"), ("", "second")):
        with faults.noted(location):
            raise InputError(text)
    with pytest.raises(InputError, match=r"^a and 1 more: first\nsecond$"):
        faults.refuse()
    Faults().refuse()


def test_the_faults_of_the_files_that_a_site_reads_and_of_its_blocks(tmp_path, resolve):
    good = (Path(__file__).parents[1] / "small.toml").read_text(encoding="utf-8")
    bad = good.replace("energy_usd_per_mwh = 40", 'hourly = {file = "prices.csv", column = "usd"}')
    bad = bad.replace('device = "air"', 'device = "aire"').replace(
        "mining_pue = 1.05", 'mining_pue_hourly = {file = "pue.csv", column = "pue"}'
    )
    bad += '[carbon]\ntable = "carbon.csv"\n'
    faults = faults_of(lambda path: read_inputs(path, resolve), tmp_path, bad)
    assert [Path(fault.partition(": ")[0]).name for fault in faults] == [
        "prices.csv",
        "pue.csv",
        "carbon.csv",
        "mining block 'miners'",
    ]
