"""PyPSA reads the folder and finds our optimum, also for sites that names or a lack of power could break."""

import logging
import warnings

import pytest
from doubles.curve import resolving

from sites.dispatch.year import site_year
from sites.file.inputs import read_inputs
from sites.planners.package import write_package
from sites.planners.pypsa_folder import write_pypsa
from sites.planners.stored_inputs import load_inputs

# PyPSA 1.4 calls pandas 3 in two ways that pandas deprecates; neither is ours to change.
pytestmark = [
    pytest.mark.filterwarnings("ignore:pandas infers the:FutureWarning"),
    pytest.mark.filterwarnings("ignore:The inplace keyword:DeprecationWarning"),
]


def read(folder):
    import pypsa

    return pypsa.Network(folder)


def solved(folder):
    network = read(folder)
    status = network.optimize(solver_name="highs", log_to_console=False, include_objective_constant=False)
    assert status == ("ok", "optimal")
    return network


def test_pypsa_reads_the_folder_and_its_optimum_is_ours(run):
    folder, year, _ = run
    assert -solved(folder / "pypsa").objective == pytest.approx(year.dispatch.net_usd, rel=1e-9)


def test_pypsa_reads_the_folder_without_a_warning_of_ours(run):
    import pypsa

    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        pypsa.Network(run[0] / "pypsa")
    ours = [str(one.message) for one in caught if not issubclass(one.category, DeprecationWarning | FutureWarning)]
    assert not [text for text in ours if "unclosed" not in text]


def test_pypsa_agrees_for_a_small_site_too(small_site_file, resolve, tmp_path):
    ((inputs, site),) = read_inputs(small_site_file, resolve)
    year = site_year(site, hourly=True)
    write_package(tmp_path / "out", [year], [inputs], version="test", sam=False)
    assert -solved(tmp_path / "out" / "pypsa").objective == pytest.approx(year.dispatch.net_usd, rel=1e-9)


def test_pypsa_agrees_for_a_curve_of_operating_points_and_its_inputs_are_read_back(edited, resolve, tmp_path):
    text = (
        '[[inference]]\nname = "serve"\ndevice = "sweep:made-up"\nlatency_limit = {tpot_q90_ms = 40}\ngpus = 12000\n'
        'demand_percent = 60\ndemand_profile = "business"\nusd_per_mtok = 0.03\nidle_percent = 10\nsla_percent = 30\n'
        "sla_penalty_percent = 50\n[cooling]\ngpu_pue = 1.2\n"
    )
    edited("[cooling]\n", text)
    ((inputs, site),) = read_inputs(tmp_path / "edited.toml", resolving(resolve))
    year = site_year(site, hourly=True)
    write_package(tmp_path / "out", [year], [inputs], version="test", sam=False)
    assert -solved(tmp_path / "out" / "pypsa").objective == pytest.approx(year.dispatch.net_usd, rel=1e-9)
    (again,) = load_inputs(tmp_path / "out")
    assert again.devices == inputs.devices
    assert site_year(again.site()).net_usd == year.net_usd


def test_pypsa_logs_no_warning_when_it_reads_the_folder(edited, tmp_path, caplog):
    write_pypsa(edited(), tmp_path / "pypsa")
    with caplog.at_level(logging.WARNING):
        read(tmp_path / "pypsa")
    assert not [record.getMessage() for record in caplog.records]


NAMES = ("spot market", "interconnect", "contract", "NA", "nan", "site", "idle")


def test_blocks_may_have_any_names(edited, tmp_path):
    first, *others = NAMES
    more = "".join(
        f'[[mining]]\nname = "{name}"\ndevice = "air"\nfacility_mw = {1 + number / 8}\npool_fee_percent = {number}\n'
        for number, name in enumerate(others, 1)
    )
    old = 'name = "miners"\ndevice = "air"\nfacility_mw = 9'
    site = edited(old, f'name = "{first}"\ndevice = "air"\nfacility_mw = 1', add=more)
    write_pypsa(site, tmp_path / "pypsa")
    network = solved(tmp_path / "pypsa")
    assert {f"block: {name}" for name in NAMES} <= set(network.generators.index)
    assert -network.objective == pytest.approx(site_year(site).dispatch.net_usd, rel=1e-9)


def test_a_block_named_after_a_part_of_another_does_not_take_its_place(full_site_text, devices, tmp_path):
    path = tmp_path / "site.toml"
    for old, new in (("old", "resale"), ("rent", "serve: on-demand"), ("hosted", "falls short: serve")):
        full_site_text = full_site_text.replace(f'name = "{old}"', f'name = "{new}"')
    path.write_text(full_site_text, encoding="utf-8")
    ((_, site),) = read_inputs(path, devices)
    write_pypsa(site, tmp_path / "pypsa")
    assert -solved(tmp_path / "pypsa").objective == pytest.approx(site_year(site).dispatch.net_usd, rel=1e-9)


def test_a_site_without_power_all_year_is_written_in_numbers(edited, tmp_path):
    outage = "[[power.outage]]\nstart = 2026-01-01\nhours = 8760\n[cooling]"
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        write_pypsa(edited("[cooling]", outage), tmp_path / "pypsa")
    for path in (tmp_path / "pypsa").iterdir():
        assert "nan" not in path.read_text(encoding="utf-8").lower(), path.name
    network = solved(tmp_path / "pypsa")
    assert network.objective == pytest.approx(0.0, abs=1e-6)
