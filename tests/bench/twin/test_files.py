"""The files of a twin: a site that can be planned, and declarations whose limits the units fit in."""

import tomllib
from hashlib import sha256

import pytest
from doubles.twin.running import running_twin

from bench.control.setup.arm import read_arm
from bench.control.setup.read import read_control
from bench.device_rates import resolve_device
from bench.twin.files import SITE_NAME, feeder_limit_w, node_set, write_files
from bench.twin.fleet import START_S, feeder_of
from sites.file.build import load_site


def test_the_site_can_be_loaded_and_every_file_says_that_it_is_simulated(tmp_path):
    with running_twin(units=3, gpus=2) as twin:
        paths = write_files(tmp_path / "twin", twin.twin, twin.served)
        for path in paths.values():
            assert path.read_text().startswith("# SIMULATED")
        site = load_site(paths["site"], resolve_device)
        assert "simulated" in site.name.lower()
        control = paths["control"].read_bytes()
        arm = tomllib.loads(paths["arm"].read_text())
        assert arm["control_sha256"] == sha256(control).hexdigest()
        assert arm["units"] == ["m[1-3]", "g[1-2]"]
        tables = tomllib.loads(control.decode())["unit"]
        assert {table["block"] for table in tables} == {"miners", "servers"}


def test_control_reads_both_files_and_is_armed(tmp_path):
    with running_twin(units=12) as twin:
        paths = write_files(tmp_path / "twin", twin.twin, twin.served)
        controlled = read_control(paths["control"])
        armed = read_arm(paths["arm"], controlled, SITE_NAME, START_S + 1.0)
    assert armed.reason == ""
    assert len(controlled.units) == 12
    assert armed.permit.units == frozenset(controlled.units)
    assert controlled.limits.wave_units(12) >= 1


def test_all_units_at_their_highest_power_fit_below_the_limit():
    with running_twin(units=30) as twin:
        units = twin.twin.units
        highest_w = feeder_of(twin.twin).at_feeder_w(sum(unit.kind.highest_w for unit in units))
        assert highest_w < feeder_limit_w(units)


@pytest.mark.parametrize(
    ("names", "written"),
    [
        (["m1"], "m1"),
        (["m01", "m02", "m03"], "m[01-03]"),
        (["m08", "m10", "m11"], "m[08,10-11]"),
        (["127.64.0.1", "127.64.0.2"], "127.64.0.[1-2]"),
    ],
)
def test_names_become_a_node_set(names, written):
    assert node_set(names) == written
