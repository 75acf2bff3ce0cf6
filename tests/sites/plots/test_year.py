"""Plots of a year: lines are at the worths that decide, and files are written completely or not at all."""

from itertools import pairwise

import pytest

from bench.device_rates import resolve_device
from sites.dispatch.year import site_year
from sites.examples import example_path
from sites.file.build import load_site
from sites.plots import files as plots
from sites.plots import scenarios as scenario_plots
from sites.plots import year as year_plots
from sites.plots.palette import LIGHT


@pytest.fixture
def year(tmp_path):
    """Run the half-GPU example, its GPUs under a long name."""
    path = tmp_path / "site.toml"
    text = example_path("georgia-50mw-gpu-modules").read_text(encoding="utf-8")
    path.write_text(text.replace('name = "gpu modules"', f'name = "{"g" * 60}"'), encoding="utf-8")
    return site_year(load_site(path, resolve_device), hourly=True)


def test_the_duration_plot_draws_the_worth_that_decides_for_each_part(year):
    from matplotlib.figure import Figure

    axes = Figure().subplots()
    year_plots.price_duration(axes, year, LIGHT)
    drawn = {str(line.get_label()): float(line.get_ydata()[0]) for line in axes.get_lines()[1:]}
    worths = {name: worth for name, _, worth in year_plots.deciding_worths(year)}
    assert list(drawn.values()) == list(worths.values())
    sla, on_demand = (worths[f"{'g' * 60}: {part}"] for part in ("sla", "on-demand"))
    # A penalty of 100 % doubles what promised work is worth; idle power is in neither, but in the mean revenue.
    assert sla == pytest.approx(2 * on_demand, rel=0.01)
    (gpus,) = (block for block in year.blocks if block.product == "inference")
    assert on_demand > 1.5 * gpus.revenue_usd / gpus.facility_mwh
    assert all("runs below" in label and len(label) < 60 for label in drawn)


def test_labels_of_the_duration_plot_do_not_overlap(year, tmp_path):
    from matplotlib.figure import Figure

    figure = Figure(figsize=(5, 5), layout="constrained")
    axes = figure.subplots()
    year_plots.price_duration(axes, year, LIGHT)
    plots.save(figure, tmp_path / "duration.png")
    legend = axes.get_legend().get_window_extent()
    assert legend.y0 >= axes.get_window_extent().y1 - 1
    boxes = sorted((text.get_window_extent() for text in axes.get_legend().get_texts()), key=lambda box: box.y0)
    assert all(low.y1 <= high.y0 + 1 for low, high in pairwise(boxes))


def test_a_scenario_plot_that_fails_leaves_no_file(tmp_path, monkeypatch):
    from matplotlib.figure import Figure

    def broken(_, target, **_options):
        (target if hasattr(target, "write") else open(target, "wb")).write(b"half")  # noqa: PTH123, SIM115
        raise OSError("no space")

    monkeypatch.setattr(Figure, "savefig", broken)
    with pytest.raises(OSError, match="no space"):
        scenario_plots.save(tmp_path, "fan", lambda axes: axes.plot([0, 1]))
    assert list(tmp_path.iterdir()) == []
