"""Plots: predicted against published, and what a user gets against what a joule gives."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from hardware_profiles.errors import InputError

if TYPE_CHECKING:
    from bench.inference.predict import Prediction
    from bench.inference.validation import Outcome

SUFFIXES = (".svg", ".png", ".pdf")


def check_plot_path(path: Path) -> None:
    """Refuse a plot's path before anything is computed: another suffix, or a folder that is not there."""
    if path.suffix not in SUFFIXES:
        raise InputError.at("--plot", expected=f"a file ending in {', '.join(SUFFIXES)}", got=str(path))
    if not path.parent.is_dir():
        raise InputError.at("--plot", expected="a file in a folder that exists", got=str(path))


def plot_validation(outcomes: "Sequence[Outcome]", path: Path) -> None:
    """Draw predicted over published output tokens per second, by GPU and role."""
    from matplotlib.figure import Figure

    from sites.plots.files import save

    figure = Figure(figsize=(6.4, 5.6), layout="constrained")
    axes = figure.add_subplot()
    known = [
        (_label(outcome), outcome.row.published_per_s, outcome.predicted_per_s)
        for outcome in outcomes
        if outcome.predicted_per_s is not None and outcome.row.published_per_s is not None
    ]
    names = sorted({name for name, _, _ in known})
    for index, name in enumerate(names):
        points = [(published, predicted) for label, published, predicted in known if label == name]
        marker = {"fit": "x", "apart": "D"}.get(name.partition(":")[0], "o")
        axes.scatter(
            [point[0] for point in points], [point[1] for point in points], s=26, label=name, color=f"C{index}",
            marker=marker, alpha=0.8,
        )  # fmt: skip
    every = [rate for _, published, predicted in known for rate in (published, predicted)]
    ends = [min(every, default=1.0), max(every, default=1.0)]
    axes.plot(ends, ends, color="0.3", linewidth=0.8)
    for factor, style in ((1.25, ":"), (0.8, ":")):
        axes.plot(ends, [end * factor for end in ends], color="0.6", linewidth=0.8, linestyle=style)
    axes.set(
        xscale="log", yscale="log", xlabel="published [output tokens/s]", ylabel="predicted [output tokens/s]",
        title="Throughput model against published rates (dotted: 25 %)",
    )  # fmt: skip
    axes.legend(fontsize=7)
    save(figure, path)


def plot_pareto(predictions: "Sequence[Prediction]", path: Path) -> None:
    """Draw tokens per second per user against tokens per joule, one line a model, precision and device."""
    from matplotlib.figure import Figure
    from matplotlib.ticker import LogLocator, NullFormatter

    from sites.plots.files import save

    figure = Figure(figsize=(6.4, 4.8), layout="constrained")
    axes = figure.add_subplot()
    lines: dict[str, list[Prediction]] = {}
    for found in predictions:
        name = f"{found.setup.shape.name} {found.setup.kind.name}, {found.setup.gpus} x {found.setup.device.slug}, "
        error = f"± {found.holdout.error_frac:.0%}{'' if found.warning is None else ': do not plan with it'}"
        lines.setdefault(f"{name}{found.input_len}:{found.output_len} ({error})", []).append(found)
    for name, line in lines.items():
        points = [
            (1.0 / found.joules_per_token, found.tokens_per_s_per_user, found.places)
            for found in line
            if found.joules_per_token is not None and found.tokens_per_s_per_user is not None
        ]
        axes.plot([point[0] for point in points], [point[1] for point in points], marker="o", markersize=3, label=name)
        for per_joule, per_user, places in points:
            axes.annotate(str(places), (per_joule, per_user), fontsize=6, xytext=(2, 2), textcoords="offset points")
    boundaries = ", ".join(sorted({found.tags.boundary for found in predictions if found.tags is not None}))
    axes.set(
        xscale="log", yscale="log", ylabel="tokens/s per user",
        xlabel=f"output tokens per joule (provisioned power, {boundaries} boundary)",
        title="What a user gets against what a joule gives: modelled; numbers are users at once",
    )  # fmt: skip
    axes.title.set_fontsize(9)
    for axis in (axes.xaxis, axes.yaxis):
        axis.set_major_locator(LogLocator(subs=(1.0, 2.0, 5.0)))
        axis.set_major_formatter("{x:g}")
        axis.set_minor_formatter(NullFormatter())
    axes.grid(color="0.92")
    axes.legend(fontsize=7, loc="lower left")
    save(figure, path)


def _label(outcome: "Outcome") -> str:
    return f"{outcome.role}: {outcome.row.model}, {outcome.row.device_slug}, {outcome.row.dtype}"
