"""The profile of one miner from its result: what it holds, that the catalogue takes it, and what it refuses."""

import json

import pytest
from click.testing import CliRunner
from doubles.asic_result import put_asic

from bench.cli import perwatt
from bench.device_rates import resolve_device
from bench.results.integrity.digests import digest
from bench.unit_profile import unit_profile
from hardware_profiles.catalog import check_file, load, load_all
from hardware_profiles.errors import InputError

CATALOGUE = load_all()


def invoke(*words):
    return CliRunner().invoke(perwatt, [*map(str, words)], standalone_mode=False)


def test_the_command_writes_a_profile_that_the_catalogue_and_a_site_take(tmp_path):
    store, own = tmp_path / "results", tmp_path / "own"
    folder = put_asic(store)
    done = invoke(
        "profile", "new", "--from", "latest:sha256d_scan_asic", "--results", store, "--out", own, "--name", "unit-7"
    )
    assert done.exception is None, done.output
    assert "perwatt compare" in done.output
    file = own / "unit-7.toml"
    assert check_file(file) == []
    profile = load("unit-7", [own])
    assert (profile.rate_hash_s, profile.wall_power_w, profile.basis) == (1.98e14, 3500.0, "measured")
    assert (profile.device.maker, profile.device.model, profile.device.cooling) == ("Bitmain", "Antminer S21", "air")
    assert profile.bin.name == "luxos-2026.1-normal"
    rate, power = profile.figures["hash_rate_th_s"], profile.figures["wall_power_w"]
    assert (rate.tolerance_frac, power.tolerance_frac) == pytest.approx((0.021, 0.012), abs=2e-4)
    assert {rate.confidence, power.confidence} == {"one_source"}
    (source,) = profile.device.sources.values()
    assert (source.address, source.read) == (f"local:{folder.name}", "2026-03-04")
    assert any(digest((folder / "result.json").read_bytes()) in line for line in source.printed)
    entered = resolve_device("unit-7", profiles=[own])
    assert entered.basis == "measured"
    assert entered.rate_interval_per_s == pytest.approx((0.979 * 1.98e14, 1.021 * 1.98e14), rel=1e-4)


def test_a_model_that_the_catalogue_does_not_know_keeps_the_words_of_its_firmware(tmp_path):
    drawn = unit_profile(
        put_asic(tmp_path / "r", name='Xyz "Hyd" \\ 1', settings={"maker": "Xyz", "model": '"Hyd" \\ 1'}), CATALOGUE
    )
    path = tmp_path / "mine.toml"
    path.write_text(drawn.toml)
    assert check_file(path) == []
    assert 'cooling = "hydro"' in drawn.toml
    assert "follows from the name alone" in drawn.toml
    assert drawn.rated_by is None


def test_it_is_printed_without_out_and_as_json(tmp_path):
    put_asic(tmp_path / "r")
    latest = ("profile", "new", "--from", "latest:sha256d_scan_asic", "--results", tmp_path / "r")
    assert invoke(*latest).output.startswith("# Written by `perwatt profile new --from")
    printed = json.loads(invoke(*latest, "--json").stdout)
    assert printed["catalogue_profile"] == "antminer-s21:200t"
    assert printed["figures"] == {
        "bins.luxos-2026.1-normal.hash_rate_th_s": 198.0, "bins.luxos-2026.1-normal.wall_power_w": 3500.0,
    }  # fmt: skip
    assert printed["file"] is None


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"watts": None}, "expected the watts at the wall, got its rate only"),
        ({"watts": None, "assumed": 3500.0}, "expected a metered power at the wall"),
        (
            {"verified": False, "warnings": ["shares_few"]},
            "expected a rate that is verified by shares, got 'shares_few'",
        ),
        ({"plan": "smoke"}, "expected quick or publish, got smoke"),
        ({"status": "invalid"}, "expected ok, got 'invalid (shares_not_uniform)'"),
    ],
)
def test_a_result_that_is_no_measurement_of_rate_and_wall_power_is_refused(tmp_path, changes, message):
    with pytest.raises(InputError) as caught:
        unit_profile(put_asic(tmp_path / "r", **changes), CATALOGUE)
    assert message in str(caught.value)
    assert len(caught.value.faults) == 1


def test_a_rate_in_the_wrong_unit_is_refused_by_the_catalogues_check(tmp_path):
    put_asic(tmp_path / "r", rate=1.98e7, watts=65.0)
    refused = invoke(
        "profile", "new", "--from", "latest:sha256d_scan_asic", "--results", tmp_path / "r", "--out", tmp_path / "o"
    )
    assert isinstance(refused.exception, InputError)
    assert not (tmp_path / "o").exists()


def test_a_device_and_a_result_at_once_are_refused(tmp_path):
    put_asic(tmp_path / "r")
    refused = invoke("profile", "new", "--from", "x", "--device", "cpu", "--results", tmp_path / "r")
    assert "--from: expected no --device with it" in str(refused.exception)
