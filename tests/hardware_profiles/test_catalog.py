"""The reader: names with bins and modes, a user's folder before ours, near names for unknown ones."""

import pytest

from hardware_profiles import catalog
from hardware_profiles.errors import InputError
from hardware_profiles.profile import Profile


def test_a_name_without_suffix_is_the_first_bin():
    profile = catalog.load("antminer-s21")
    assert (profile.name, profile.kind, profile.slug) == ("antminer-s21:200t", "asic", "antminer-s21")
    assert (profile.rate_hash_s, profile.wall_power_w, profile.j_per_th) == (200e12, 3500.0, 17.5)


def test_a_bin_and_a_mode_are_chosen_by_suffix(written, miner, tmp_path):
    written(miner)
    assert catalog.load("example-miner-1:188t", [tmp_path]).rate_hash_s == 188e12
    low = catalog.load("example-miner-1:200t:low", [tmp_path])
    assert (low.rate_hash_s, low.wall_power_w, low.j_per_th) == (150e12, 2250.0, 15.0)
    assert low.name == "example-miner-1:200t:low"
    assert catalog.load("example-miner-1:low", [tmp_path]).name == low.name
    assert low.title == "Example Miner 1 200t (low)"


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("s21", "did you mean antminer-s21"),
        ("antminer-s21-px", "antminer-s21-xp"),
        ("h100", "nvidia-h100-sxm"),
        ("antminer-s21:199t", "did you mean antminer-s21:"),
        ("antminer-s21:200t:turbo", "expected no mode, because antminer-s21:200t has none"),
        ("antminer-t21:190t:hihg", "did you mean antminer-t21:190t:high?"),
        ("nvidia-h200:x", "expected no bin or mode, because nvidia-h200 has none"),
        ("", "expected a name of `perwatt list profiles`, got ''"),
        ("../etc/passwd", "expected a name of `perwatt list profiles`"),
    ],
)
def test_an_unknown_name_lists_the_near_ones(name, message):
    with pytest.raises(InputError) as caught:
        catalog.load(name)
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_users_folder_hides_ours_by_argument_and_by_variable(written, miner, tmp_path, monkeypatch):
    written(miner, "antminer-s21.toml")
    assert catalog.load("antminer-s21", [tmp_path]).title.startswith("Example")
    assert catalog.load("antminer-s21").title.startswith("Bitmain")
    monkeypatch.setenv("PERWATT_PROFILES", str(tmp_path))
    assert catalog.load("antminer-s21").title.startswith("Example")
    assert "nvidia-h200" in catalog.names()


def test_a_folder_that_is_none_is_refused(tmp_path, monkeypatch):
    with pytest.raises(InputError, match=r"--profiles: expected a folder of profiles, got .* no such folder"):
        catalog.load("antminer-s21", [tmp_path / "nowhere"])
    monkeypatch.setenv("PERWATT_PROFILES", str(tmp_path / "nowhere"))
    with pytest.raises(InputError, match="PERWATT_PROFILES"):
        catalog.names()


def test_a_file_that_was_not_recorded_is_checked_when_it_is_read(written, miner, tmp_path):
    miner["bins"][0]["hash_rate_th_s"]["value"] = 200_000
    written(miner)
    with pytest.raises(InputError, match="is it GH/s"):
        catalog.load("example-miner-1", [tmp_path])


def test_without_the_record_of_checked_files_everything_is_checked(monkeypatch, tmp_path):
    monkeypatch.setattr(catalog, "CHECKED", tmp_path / "none")
    catalog._recorded.cache_clear()
    try:
        assert catalog.load("nvidia-h200").tdp_w == 700
    finally:
        catalog._recorded.cache_clear()


def test_a_gpu_has_dense_peaks_memory_and_watts_per_gpu_of_its_server():
    profile = catalog.load("nvidia-h200")
    assert profile.peaks_flop_per_s["bf16"] == pytest.approx(989.4e12)
    assert profile.peaks_flop_per_s["fp64_tensor"] > profile.peaks_flop_per_s["fp64"]
    assert not [dtype for dtype in profile.peaks_flop_per_s if "sparse" in dtype]
    assert profile.figure("fp8_sparse_tflop_s").value == pytest.approx(3957.8)
    assert (profile.memory_bytes, profile.bandwidth_byte_per_s) == (141e9, 4.8e12)
    assert (profile.tdp_w, profile.server_w_per_gpu, profile.rack_w_per_gpu) == (700, 1275, None)
    assert profile.figure("server_power_w").boundary == "node"
    assert profile.wall_power_w is None
    assert catalog.load("nvidia-gb200").rack_w_per_gpu == pytest.approx(120_000 / 72)


def test_every_profile_of_the_catalogue_can_be_loaded_by_its_own_name():
    for profile in catalog.iter_profiles(catalog.load_all(), modes=True):
        again = catalog.load(profile.name)
        assert isinstance(again, Profile)
        assert again.name == profile.name
        assert again.confidence in ("two_sources", "one_source", "unverified")


@pytest.mark.parametrize(
    ("reported", "slug"),
    [
        ("NVIDIA H100 80GB HBM3", "nvidia-h100-sxm"),
        ("NVIDIA H200", "nvidia-h200"),
        ("AMD EPYC 9654 96-Core Processor", "amd-epyc-9654"),
        ("AMD EPYC 9654P 96-Core Processor", None),
        ("AMD Ryzen 9 7950X3D 16-Core Processor", None),
        ("Intel(R) Xeon(R) Platinum 8480+", "intel-xeon-platinum-8480+"),
        ("Intel(R) Xeon(R) Processor", None),  # a virtual machine hides the model
        ("NVIDIA GeForce RTX 4090 Laptop GPU", None),
    ],
)
def test_a_device_is_recognised_by_the_name_a_machine_reports(reported, slug):
    found = catalog.recognise(reported, catalog.load_all())
    assert (found.slug if found else None) == slug
