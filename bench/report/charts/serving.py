"""Charts of the loads of an inference server: throughput, and energy per token, against the speed that a user sees."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from bench.endpoint.sweep.choice import Point, pareto
from bench.quantity import plain
from bench.report.charts.svg import COLOURS, Chart, Mark, render
from bench.report.text import energy_per_unit_text

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

Interval = tuple[float, float]
_PER_USER = "tokens/s of one user"


@dataclass(frozen=True, slots=True)
class Load:
    """A point with the intervals that its record states."""

    point: Point
    rate_interval: Interval | None  # [token/s]
    energy_interval: Interval | None  # [J/token]


def pareto_chart(key: str, title: str, loads: Sequence[Load]) -> Chart:
    """Draw the loads of one run that have a time per token; the line joins those that no other load beats."""
    drawn = [load for load in loads if load.point.user_rate is not None]
    metered = [load for load in drawn if load.point.energy is not None]
    front = pareto([load.point for load in drawn])
    on_front = ", ".join(str(point.concurrency) for point in front)
    notes = ["The number at a point is the requests at a time. Tokens/s of one user are 1 / TPOT (median)."]
    if not metered:
        notes.append("Not metered, so there is no energy per token; `--meter` adds it.")

    def draw(figure: "Figure", narrow: bool) -> Iterable[Mark]:
        panels = 1 + bool(metered)
        axes = figure.subplots(panels, 1, squeeze=False) if narrow else figure.subplots(1, panels, squeeze=False)
        flat = [one for row in axes for one in row]
        _panel(flat[0], drawn, front, "output tokens/s of the server", _throughput)
        if metered:
            _panel(flat[1], metered, front, "J per output token", _energy)
        return [
            *(Mark(flat[0], load.point.user_rate or 0.0, load.point.rate, describe(load)) for load in drawn),
            *(Mark(flat[1], load.point.user_rate or 0.0, load.point.energy or 0.0, describe(load)) for load in metered),
        ]

    return render(
        key,
        title,
        f"{len(drawn)} loads; {_PER_USER} across, upward the server's throughput"
        f"{' and, in a second panel, its energy per token' if metered else ''}. Loads that no other beats: {on_front}.",
        draw,
        notes=notes,
        heights=(380.0, 560.0 if metered else 340.0),
    )


def describe(load: Load) -> str:
    """Return the text of a point."""
    point = load.point
    parts = [f"{point.concurrency} at a time", f"{plain(point.rate)} tokens/s{_between(load.rate_interval)}"]
    if point.user_rate is not None:
        parts.append(f"{plain(point.user_rate)} tokens/s of one user")
    if point.energy is not None:
        number, unit = energy_per_unit_text(point.energy, "J/token")
        parts.append(f"{number} {unit}")
    if point.power_w is not None:
        parts.append(f"{plain(point.power_w)} W")
    return " · ".join([*parts, *point.codes])


def _between(interval: Interval | None) -> str:
    return "" if interval is None else f" ({plain(max(0.0, interval[0]))} to {plain(interval[1])})"


def _throughput(load: Load) -> tuple[float, Interval | None]:
    return load.point.rate, load.rate_interval


def _energy(load: Load) -> tuple[float, Interval | None]:
    return load.point.energy or 0.0, load.energy_interval


def _panel(
    axes: "Axes",
    loads: Sequence[Load],
    front: Sequence[Point],
    title: str,
    figure_of: Callable[[Load], tuple[float, Interval | None]],
) -> None:
    """Draw one figure of the loads against the speed of one user."""
    colour = COLOURS["measured"]
    best = sorted((load for load in loads if load.point in front), key=lambda load: load.point.user_rate or 0.0)
    axes.plot(
        [load.point.user_rate or 0.0 for load in best], [figure_of(load)[0] for load in best], color=colour, zorder=2
    )
    for load in loads:
        value, interval = figure_of(load)
        low, high = interval or (value, value)
        axes.errorbar(
            load.point.user_rate or 0.0, value, yerr=[[max(0.0, value - max(0.0, low))], [max(0.0, high - value)]],
            fmt="D", markersize=6.5, color=colour, capsize=3, zorder=3,
            markerfacecolor=colour if load.point in front else "none",
        )  # fmt: skip
        axes.annotate(
            str(load.point.concurrency), (load.point.user_rate or 0.0, value), xytext=(7, 5),
            textcoords="offset points", fontsize=9, color=COLOURS["ink"],
        )  # fmt: skip
    axes.set(xlabel=_PER_USER, title=title, xlim=(0.0, None), ylim=(0.0, None))
    axes.margins(0.12)
