"""How long the catalogue takes: `pytest --benchmark-only tests/hardware_profiles`. Nothing is asserted on time."""

import time

import pytest

from hardware_profiles import catalog
from hardware_profiles.checks import faults
from hardware_profiles.reading import read_toml
from hardware_profiles.schema import validate_file

pytestmark = pytest.mark.benchmark(timer=time.process_time)


def test_one_profile_is_loaded(benchmark):
    assert benchmark(catalog.load, "antminer-s21:188t").rate_hash_s == 188e12


def test_one_profile_is_loaded_and_checked(benchmark):
    path = catalog.files()["antminer-s21"]
    assert benchmark(lambda: catalog.check(read_toml(path), path)).slug == "antminer-s21"


def test_all_profiles_are_loaded(benchmark):
    assert len(benchmark(catalog.load_all)) > 100


def test_all_profiles_are_loaded_and_checked(benchmark):
    def check_all():
        found = 0
        for path in catalog.files().values():
            data = read_toml(path)
            validate_file(data, path)
            found += len(faults(catalog.device_from(data, path)))
        return found

    assert benchmark(check_all) == 0


def test_twenty_devices_are_compared(benchmark):
    from bench.compare.load import of_profile
    from bench.compare.overview import overview
    from bench.compare.verdicts import compare

    chosen = [profile for _, profile in zip(range(20), catalog.iter_profiles(catalog.load_all()), strict=False)]

    def both():
        subjects = [of_profile(profile) for profile in chosen]
        return compare(subjects), overview(subjects, hashprice_usd_per_ph_s_day=40)

    rows, lines = benchmark(both)
    assert len(lines) == 20
    assert rows
