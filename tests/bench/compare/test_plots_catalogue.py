"""The plot of power against hash rate: measured over rated, J/TH lines, colours for light and dark."""

import re

import pytest

from bench.compare.device_figures import DeviceFigures, Figure
from bench.compare.load import of_profile
from bench.compare.plot import basis_of, catalogue_devices, plot_devices, plottable, save
from hardware_profiles.catalog import load
from hardware_profiles.errors import InputError
from sites.plots.palette import DARK, LIGHT


@pytest.fixture
def devices():
    return [of_profile(load(name)) for name in ("antminer-s21", "proto-rig", "nvidia-h200")]


def test_an_svg_takes_its_colours_from_the_readers_scheme(devices, tmp_path):
    path = tmp_path / "plot.svg"
    assert plot_devices(devices, path) == ["nvidia-h200"]  # a GPU has no rated hash rate
    text = path.read_text(encoding="utf-8")
    assert "prefers-color-scheme: dark" in text
    assert "var(--ink)" in text
    assert "antminer-s21:200t" in text
    assert "20 J/TH" in text
    assert not re.search(r"#0000[0-9a-f]{2}", text)


def test_the_same_points_give_the_same_bytes(devices, tmp_path):
    first, second = tmp_path / "a.svg", tmp_path / "b.svg"
    plot_devices(devices, first)
    plot_devices(devices, second)
    assert first.read_bytes() == second.read_bytes()


def test_a_measured_point_has_its_intervals_and_an_assumed_power_is_told(tmp_path):
    measured = DeviceFigures(
        "a-result",
        "",
        (
            Figure("rate", "hash", 196e12, "hash/s", "measured", interval=(194e12, 198e12)),
            Figure("power", "", 3600.0, "W", "assumed", boundary="wall"),
        ),
        "result",
    )
    (device,), missing = plottable([measured])
    assert (basis_of(device), device.rate("hash").interval, missing) == ("assumed", (194e12, 198e12), [])
    path = tmp_path / "plot.svg"
    save([device, of_profile(load("antminer-s21"))], {device.name: "mine"}, path)
    assert "assumed power" in path.read_text(encoding="utf-8")


@pytest.mark.parametrize("name", ["plot.png", "plot.pdf"])
def test_other_formats_are_written_too(devices, tmp_path, name):
    plot_devices(devices[:1], tmp_path / name)
    assert (tmp_path / name).stat().st_size > 5_000


def test_a_plot_that_cannot_be_is_refused(devices, tmp_path):
    with pytest.raises(InputError, match="--plot: expected a file ending in"):
        plot_devices(devices, tmp_path / "plot.gif")
    with pytest.raises(InputError, match="--plot: expected a folder that exists"):
        plot_devices(devices, tmp_path / "none" / "plot.svg")
    with pytest.raises(InputError, match="--plot: expected a device with a hash rate and a power"):
        plot_devices(devices[2:], tmp_path / "plot.svg")


def test_ink_keeps_its_contrast_on_light_and_dark_paper():
    for scheme in (LIGHT, DARK):
        for name in ("ink", "muted", "rated", "measured"):
            assert contrast(scheme[name], scheme["paper"]) >= 4.5, name


def test_the_background_is_every_bin_of_the_catalogue():
    devices = catalogue_devices()
    assert len(devices) >= 80
    assert {basis_of(device) for device in devices} == {"rated"}


def contrast(one, other):
    """Ratio of luminances after WCAG 2."""
    light, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def luminance(colour):
    parts = [int(colour[start : start + 2], 16) / 255 for start in (1, 3, 5)]
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue
