"""Plots of the throughput model: predicted against published rates, and rate per user against tokens per joule."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from hardware_profiles.errors import InputError
from hardware_profiles.opening import is_folder
from sites.plots.library import use_matplotlib

if TYPE_CHECKING:
    from bench.inference.predict import Prediction
    from bench.inference.validation import Outcome

SUFFIXES = (".svg", ".png", ".pdf")


def check_plot_path(path: Path) -> None:
    """Refuse a path with another suffix or in a missing folder, before anything is computed.

    Raises
    ------
    InputError
        As above.
    """
    if path.suffix not in SUFFIXES:
        raise InputError.at("--plot", expected=f"a file ending in {', '.join(SUFFIXES)}", got=str(path))
    if not is_folder(path.parent):
        raise InputError.at("--plot", expected="a file in a folder that exists", got=str(path))


def plot_validation(outcomes: "Sequence[Outcome]", path: Path) -> None:
    """Draw predicted over published output tokens per second, by GPU and role."""
    use_matplotlib()
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
    """Draw tokens per second per user against tokens per joule, with one line per model, precision and device."""
    use_matplotlib()
    from matplotlib.figure import Figure
    from matplotlib.ticker import LogLocator, NullFormatter

    from sites.plots.files import save

    figure = Figure(figsize=(6.4, 4.8), layout="constrained")
    axes = figure.add_subplot()
    lines: dict[str, list[Prediction]] = {}
    for prediction in predictions:
        setup, lengths = prediction.setup, f"{prediction.input_len}:{prediction.output_len}"
        name = f"{setup.shape.name} {setup.kind.name}, {setup.gpus} x {setup.device.slug}, {lengths}"
        doubt = "" if prediction.warning is None else ": do not plan with it"
        lines.setdefault(f"{name} (± {prediction.holdout.error_frac:.0%}{doubt})", []).append(prediction)
    for name, line in lines.items():
        points = [
            (1.0 / joules, prediction.tokens_per_s_per_user, prediction.batch)
            for prediction in line
            if (joules := prediction.modelled_joules_per_token or prediction.joules_per_token) is not None
            and prediction.tokens_per_s_per_user is not None
        ]
        axes.plot([point[0] for point in points], [point[1] for point in points], marker="o", markersize=3, label=name)
        for per_joule, per_user, batch in points:
            axes.annotate(str(batch), (per_joule, per_user), fontsize=6, xytext=(2, 2), textcoords="offset points")
    powers = ", ".join(
        sorted(
            {
                "modelled watts, node boundary"
                if prediction.watts is not None
                else f"provisioned power, {prediction.tags.boundary} boundary"
                for prediction in predictions
                if prediction.tags is not None
            }
        )
    )
    axes.set(
        xscale="log", yscale="log", ylabel="tokens/s per user",
        xlabel=f"output tokens per joule ({powers})",
        title="Rate per user against tokens per joule: modelled; the numbers are users at once",
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
