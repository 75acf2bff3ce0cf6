"""The catalogue itself: complete, sourced, documented, and as sure as it says."""

from pathlib import Path

import pytest

from hardware_profiles import catalog
from hardware_profiles.keys import COOLINGS, FEATURES, SECTIONS

ROOT = Path(__file__).resolve().parents[2]
FIRST = {
    "antminer-s19-xp": 21.5,
    "antminer-s21": 17.5,
    "antminer-s21-xp": 13.5,
    "whatsminer-m60s": 18.5,
    "antminer-s23-hyd": 9.5,
}


@pytest.fixture(scope="module")
def devices():
    return [device for device in catalog.load_all() if device.path.is_relative_to(catalog.OURS)]


def test_every_file_passes_every_check():
    assert [fault for path in catalog.files().values() for fault in catalog.check_file(path)] == []


def test_the_record_of_checked_files_is_current():
    assert catalog.CHECKED.read_text(encoding="utf-8") == catalog.digests(), "run `perwatt profile check --record`"


def test_there_are_at_least_eighty_bins_fifteen_gpus_and_ten_cpus(devices):
    count = {kind: [device for device in devices if device.kind == kind] for kind in ("asic", "gpu", "cpu")}
    assert sum(len(device.bins) for device in count["asic"]) >= 80
    assert len(count["gpu"]) >= 15
    assert len(count["cpu"]) >= 10


def test_the_first_devices_have_the_efficiency_that_their_makers_state(devices):
    by_slug = {device.slug: device for device in devices}
    for slug, j_per_th in FIRST.items():
        assert next(by_slug[slug].profiles()).j_per_th == pytest.approx(j_per_th, rel=0.002)


def test_every_figure_has_unit_basis_date_and_a_source_or_says_that_it_is_unverified(devices):
    for device in devices:
        for place, figure in device.every_figure():
            where = f"{device.slug} {place}"
            assert figure.unit, where
            assert figure.date, where
            if figure.confidence == "unverified":
                continue
            found = [device.sources[name] for name in figure.sources]
            assert found, where
            assert all(source.address.startswith("http") and source.read != "unknown" for source in found), where
            assert all(source.printed for source in found), where
            if figure.confidence == "two_sources":
                assert len({source.publisher for source in found}) >= 2, where


def test_twenty_five_bins_and_eight_gpus_stand_on_a_source_that_was_found_again(devices):
    bins = [
        profile
        for device in devices
        if device.kind == "asic"
        for profile in device.profiles()
        if all(profile.figures[key].confidence != "unverified" for key in ("hash_rate_th_s", "wall_power_w"))
    ]
    gpus = [
        device
        for device in devices
        if device.kind == "gpu"
        and device.figures["tdp_w"].confidence != "unverified"
        and device.figures["memory_gb"].confidence != "unverified"
        and any(key.endswith("flop_s") and figure.confidence != "unverified" for key, figure in device.figures.items())
    ]
    assert len(bins) >= 25
    assert len(gpus) >= 8


def test_every_key_and_word_of_a_profile_is_documented():
    text = (ROOT / "docs" / "profile-keys.md").read_text(encoding="utf-8")
    for section, keys in SECTIONS.items():
        for key, known in keys.items():
            assert f"`{key}`" in text, f"{section}: {key}"
            assert known.meaning.replace("°", "°") in text, f"{section}: {key}: {known.meaning}"
    for word in ("two_sources", "one_source", "unverified", "measured", "rated", "modelled", "assumed"):
        assert f"`{word}`" in text
    for word in (*FEATURES, *COOLINGS):
        assert word in text


def test_the_page_of_statistics_is_made_from_the_files(devices):
    from bench.compare.catalogue_page import PAGE, page

    assert PAGE.read_text(encoding="utf-8") == page(devices), "run `perwatt profile check --record`"
