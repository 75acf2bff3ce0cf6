"""The drawing of an operating curve: energy per unit of work, or without a meter the rate, against the levels."""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from bench.sweep.curve import Curve, CurvePoint, Figure
from hardware_profiles.errors import InputError
from hardware_profiles.opening import is_folder

if TYPE_CHECKING:
    from matplotlib.axes import Axes

SUFFIXES = (".svg", ".png", ".pdf")


def check_target(path: Path | None) -> None:
    """Check that a curve can be drawn to a file, before the sweep.

    Raises
    ------
    InputError
        Its ending is unknown, or its folder does not exist.
    """
    if path is not None and path.suffix not in SUFFIXES:
        raise InputError.at("--plot", expected=f"a file ending in {', '.join(SUFFIXES)}", got=str(path))
    if path is not None and not is_folder(path.parent):
        raise InputError.at("--plot", expected="a folder that exists", got=str(path.parent))


def spot(curve: Curve, point: CurvePoint) -> tuple[float, Figure]:
    """Return where a point stands: its power [W], or its number without a meter, and its energy or rate."""
    if point.power is not None and point.energy is not None and curve.by.startswith("J/"):
        return point.power.value, point.energy
    return float(curve.points.index(point)), point.rate


def draw(axes: "Axes", curve: Curve, colours: Mapping[str, str]) -> None:
    """Draw the points with their 95 % intervals; those that may be the best are filled."""
    colour = colours["measured"]
    spots = [spot(curve, point) for point in curve.points]
    axes.plot([x for x, _ in spots], [figure.value for _, figure in spots], color=colour, alpha=0.4, zorder=2)
    for point, (x, figure) in zip(curve.points, spots, strict=True):
        low, high = figure.interval or (figure.value, figure.value)
        axes.errorbar(
            x, figure.value, yerr=[[max(0.0, figure.value - low)], [max(0.0, high - figure.value)]], fmt="D",
            markersize=6.5, color=colour, capsize=3, zorder=3, markerfacecolor=colour if point.alike else "none",
        )  # fmt: skip
        axes.annotate(
            point.level, (x, figure.value), xytext=(7, 5), textcoords="offset points", fontsize=9, color=colours["ink"]
        )
    metered = curve.by.startswith("J/")
    axes.set(xlabel="power [W]" if metered else "level", ylabel=curve.by)
    if not metered:
        axes.set_xticks([])
    axes.margins(0.12)


def save(curve: Curve, path: Path) -> None:
    """Draw a curve into a file."""
    import io

    from sites.plots.library import use_matplotlib

    use_matplotlib()
    from matplotlib import rc_context
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure as Canvas

    from sites.files import write_file
    from sites.plots.palette import LIGHT

    with rc_context({"svg.fonttype": "none", "svg.hashsalt": "perwatt", "font.size": 10}):
        figure = Canvas(figsize=(7.0, 4.5), dpi=110, layout="constrained")
        FigureCanvasAgg(figure)
        axes = figure.add_subplot()
        draw(axes, curve, LIGHT)
        first = curve.records[0]
        axes.set_title(f"{first.device.name}, {curve.lever}: filled levels may be the best (95 %)", fontsize=10)
        target = io.BytesIO()
        metadata = (
            {"Date": None} if path.suffix == ".svg" else {"CreationDate": None} if path.suffix == ".pdf" else None
        )
        figure.savefig(target, format=path.suffix[1:], metadata=metadata)
    write_file(path, target.getvalue())
