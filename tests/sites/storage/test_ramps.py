"""A block takes its start terms from a measured ramp, with their source, and a stored run keeps them."""

import pytest

from hardware_profiles.errors import InputError
from sites.dispatch.year import site_year
from sites.file.build import load_site
from sites.file.inputs import read_inputs
from sites.planners.stored_inputs import load_inputs, store_inputs
from sites.storage.ramps import MeasuredRamp

RAMP = MeasuredRamp(
    name="ramp:one",
    down_s=90.0,
    up_s=700.0,
    lost_output_s=540.0,
    off_energy_j=3300.0 * 60.0,
    full_w=3300.0,
    start_energy_j=4.0e5,
    shortest_off_s=600.0,
    longest_off_s=660.0,
    source="measured here, 2026-12-01, result one",
)


@pytest.fixture
def site_file(small_site_file):
    """Write the small site with keys in its block of miners."""

    def write(keys: str):
        text = small_site_file.read_text(encoding="utf-8")
        head, _, tail = text.partition("[[mining]]")
        path = small_site_file.with_name("ramped.toml")
        path.write_text(f"{head}[[mining]]\n{keys}\n{tail}", encoding="utf-8")
        return path

    return write


@pytest.fixture
def resolver(resolve):
    """Return the resolver of the tests, which knows one ramp too."""

    def named(name: str):
        if name == "ramp:two":
            raise InputError("ramp:two: expected a result, got none")
        return RAMP if name == "ramp:one" else resolve(name)

    return named


def test_a_measured_ramp_gives_wake_and_minimum_down(site_file, resolver) -> None:
    (block,) = (block for block in load_site(site_file('ramp = "ramp:one"'), resolver).blocks if block.starts)
    assert block.starts.wake_h == pytest.approx(600.0 / 3600.0)  # 540 s of output, and 60 s of full power going down
    assert block.starts.min_down_h == pytest.approx(90.0 / 3600.0)
    assert "result one" in block.starts.source
    assert "600 to 660 s off" in block.starts.source


def test_the_longer_time_off_holds_and_a_cost_may_stand_with_it(site_file, resolver) -> None:
    site = load_site(site_file('ramp = "ramp:one"\nmin_down_hours = 2\nstart_usd = 20'), resolver)
    terms = next(block.starts for block in site.blocks if block.starts)
    assert (terms.min_down_h, terms.start_usd) == (2.0, 20.0)


def test_the_year_pays_for_a_measured_ramp_as_for_stated_minutes(site_file, resolver) -> None:
    measured = site_year(load_site(site_file('ramp = "ramp:one"'), resolver))
    stated = site_year(load_site(site_file("wake_minutes = 10\nmin_down_hours = 0.025"), resolver))
    assert measured.net_usd == pytest.approx(stated.net_usd, rel=1e-12)


@pytest.mark.parametrize(
    ("keys", "message"),
    [
        ('ramp = "ramp:one"\nwake_minutes = 5', "expected either wake_minutes or ramp"),
        ('ramp = "one"', "ramp"),
        ('ramp = "ramp:two"', "key ramp: ramp:two: expected a result"),
    ],
)
def test_a_wrong_ramp_is_refused(site_file, resolver, keys: str, message: str) -> None:
    with pytest.raises(InputError, match=message):
        load_site(site_file(keys), resolver)


def test_a_ramp_is_no_device(site_file, resolver) -> None:
    path = site_file("")
    text = path.read_text(encoding="utf-8")
    device = next(line for line in text.splitlines() if line.startswith("device ="))
    path.write_text(text.replace(device, 'device = "ramp:one"'), encoding="utf-8")
    with pytest.raises(InputError, match="expected a device, got ramp:one, which is a ramp"):
        load_site(path, resolver)


def test_a_stored_run_keeps_the_ramp(site_file, resolver, tmp_path) -> None:
    read = read_inputs(site_file('ramp = "ramp:one"'), resolver)
    store_inputs([inputs for inputs, _ in read], tmp_path / "inputs")
    (again,) = load_inputs(tmp_path)
    assert again.devices["ramp:one"] == RAMP
    assert next(block.starts for block in again.site().blocks if block.starts).wake_h == pytest.approx(1 / 6)
