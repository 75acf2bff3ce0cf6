"""The plot of `perwatt compare --plot`: power against hash rate, with lines of equal J/TH."""

import math
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from bench.compare.device_figures import DeviceFigures, Figure
from bench.quantity import HASHES_PER_TH, si
from hardware_profiles.errors import InputError
from hardware_profiles.opening import is_folder
from sites.plots.library import use_matplotlib
from sites.plots.palette import DARK, LIGHT

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.text import Annotation

_NAMES = ("ink", "muted", "grid", "paper", "rated", "measured")
SUFFIXES = (".svg", ".png", ".pdf")
ISO_J_PER_TH = (5, 7.5, 10, 15, 20, 30, 50, 100, 1_000, 10_000, 100_000, 1_000_000, 10_000_000)
_STAND_IN = {name: f"#0000{index + 1:02x}" for index, name in enumerate(_NAMES)}  # become CSS variables in an SVG


_Anchor = tuple[int, int, Literal["left", "right"]]  # offset of a label [points], and the side it is aligned to


def plottable(devices: Iterable[DeviceFigures]) -> tuple[list[DeviceFigures], list[str]]:
    """Return the devices that have a hash rate and a power, and the names of the others."""
    drawn: list[DeviceFigures] = []
    missing: list[str] = []
    for device in devices:
        if device.rate("hash") is None or device.power() is None or device.refused:
            missing.append(device.name)
        else:
            drawn.append(device)
    return drawn, missing


def catalogue_devices() -> list[DeviceFigures]:
    """Return every bin of the catalogue's miners."""
    from bench.compare.load import of_profile
    from hardware_profiles.catalog import iter_profiles, load_all

    return plottable(of_profile(profile) for profile in iter_profiles(load_all()))[0]


def basis_of(device: DeviceFigures) -> str:
    """Return how a device is drawn: `rated` from the catalogue, else by its power: `measured` or `assumed`."""
    power = device.power()
    if not device.measured_here:
        return "rated"
    return "assumed" if power is not None and power.basis == "assumed" else "measured"


def _rate_th_s(device: DeviceFigures) -> float:
    rate = device.rate("hash")
    return rate.value / HASHES_PER_TH if rate is not None else math.nan


def _power_w(device: DeviceFigures) -> float:
    power = device.power()
    return power.value if power is not None else math.nan


def power_against_rate(
    axes: "Axes", devices: Sequence[DeviceFigures], colours: Mapping[str, str], labels: Mapping[str, str]
) -> None:
    """Draw devices with a hash rate and a power into axes with logarithmic scales.

    Parameters
    ----------
    colours
        By the names ink, muted, grid, paper, rated, measured.
    labels
        Label of a device, by its name; the devices without one are the background.
    """
    axes.set_xscale("log")
    axes.set_yscale("log")
    named = [device for device in devices if device.name in labels]
    background = [device for device in devices if device.name not in labels]
    _limits(axes, named or devices)
    _iso_lines(axes, colours)
    for confidence, filled in (("sourced", True), ("unverified", False)):
        crowd = [d for d in background if (d.confidence == "unverified") is not filled and _inside(axes, d)]
        axes.scatter(
            [_rate_th_s(d) for d in crowd], [_power_w(d) for d in crowd], s=12, linewidths=0.7,
            facecolors=colours["muted"] if filled else "none", edgecolors=colours["muted"], alpha=0.55, zorder=2,
            label=f"catalogue, {confidence}" if crowd else None,
        )  # fmt: skip
    texts = [_named(axes, device, labels[device.name], colours) for device in named]
    _plain_ticks(axes)
    axes.set_xlabel("hash rate [TH/s]", color=colours["ink"])
    axes.set_ylabel("power [W]", color=colours["ink"])
    axes.tick_params(which="both", colors=colours["muted"], labelcolor=colours["ink"])
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)
    for side in ("bottom", "left"):
        axes.spines[side].set_color(colours["muted"])
    _spread(axes, texts)
    _legend(axes, named, background, colours)


def _plain_ticks(axes: "Axes") -> None:
    """Write ticks as numbers, not powers; between the powers too where the scale spans little more than one."""
    from matplotlib.ticker import FuncFormatter, NullFormatter

    plain = FuncFormatter(lambda value, _: f"{value:,.10g}")
    for axis, (low, high) in ((axes.xaxis, axes.get_xlim()), (axes.yaxis, axes.get_ylim())):
        axis.set_major_formatter(plain)
        first_digits = FuncFormatter(lambda value, _: f"{value:,.10g}" if f"{value:e}"[0] in "235" else "")
        axis.set_minor_formatter(first_digits if high / low < 100 else NullFormatter())


def _inside(axes: "Axes", device: DeviceFigures) -> bool:
    (left, right), (bottom, top) = axes.get_xlim(), axes.get_ylim()
    return left < _rate_th_s(device) < right and bottom < _power_w(device) < top


def _limits(axes: "Axes", framed: Sequence[DeviceFigures]) -> None:
    """Frame these devices, with room for their labels."""
    rates = [_rate_th_s(device) for device in framed] or [1.0]
    powers = [_power_w(device) for device in framed] or [1.0]
    axes.set_xlim(min(rates) / 2.5, max(rates) * 3.0)
    axes.set_ylim(min(powers) / 2.0, max(powers) * 2.5)


def _iso_lines(axes: "Axes", colours: Mapping[str, str]) -> None:
    (left, right), (bottom, top) = axes.get_xlim(), axes.get_ylim()
    labelled = right * 10
    for j_per_th in ISO_J_PER_TH:
        low, high = max(left, bottom / j_per_th), min(right, top / j_per_th)
        if low >= high:
            continue
        axes.plot([low, high], [low * j_per_th, high * j_per_th], color=colours["grid"], linewidth=0.9, zorder=1)
        # The label is on the line, a little inside the frame. A short stretch in a corner has no room for one, nor has
        # a line that meets the top next to another's label.
        at = min(right / (right / left) ** 0.01, top / (top / bottom) ** 0.025 / j_per_th)
        crowded = high < right and labelled / at < (right / left) ** 0.07
        if high / low > 1.5 and not crowded:
            labelled = at if high < right else labelled
            axes.annotate(
                si(j_per_th, "J/TH"), (at, at * j_per_th), ha="right", va="center",
                fontsize=8, color=colours["muted"], zorder=1.5, clip_on=True,
                bbox={"facecolor": colours["paper"], "edgecolor": "none", "pad": 0.6},
            )  # fmt: skip


def _named(axes: "Axes", device: DeviceFigures, text: str, colours: Mapping[str, str]) -> "Annotation":
    basis = basis_of(device)
    measured = basis != "rated"
    colour = colours["measured" if measured else "rated"]
    x, y = _rate_th_s(device), _power_w(device)
    hollow = device.confidence == "unverified" or basis == "assumed"
    axes.errorbar(
        x, y, xerr=_bars(device.rate("hash"), HASHES_PER_TH), yerr=_bars(device.power(), 1.0),
        fmt="D" if measured else "o", markersize=5.5 if measured else 6.5, markerfacecolor="none" if hollow else colour,
        markeredgecolor=colour, ecolor=colour, elinewidth=1.6, capsize=4, zorder=4 if measured else 3,
    )  # fmt: skip
    label: Annotation = axes.annotate(
        text, (x, y), xytext=(7, 5), textcoords="offset points", fontsize=9, color=colours["ink"], zorder=5
    )
    return label


def _bars(figure: Figure | None, scale: float) -> list[list[float]] | None:
    """Return the two arms of an error bar, or None for a figure without an interval."""
    if figure is None or figure.interval is None:
        return None
    low, high = figure.interval
    return [[max(0.0, figure.value - low) / scale], [max(0.0, high - figure.value) / scale]]


def _spread(axes: "Axes", labels: Sequence["Annotation"]) -> None:
    """Move labels around their points so that they cover each other as little as possible."""
    figure = axes.get_figure(root=True)
    if figure is None:
        return
    figure.draw_without_rendering()  # settles the layout, so that boxes are where they will be drawn
    renderer = figure.canvas.get_renderer() if hasattr(figure.canvas, "get_renderer") else None
    spots = [axes.transData.transform(label.xy) for label in labels]
    taken: list[tuple[float, float, float, float]] = [(x - 6, y - 6, x + 6, y + 6) for x, y in spots]
    anchors: list[_Anchor] = [
        (7, 5, "left"),
        (7, -12, "left"),
        (-7, 5, "right"),
        (-7, -12, "right"),
        (7, 17, "left"),
        (7, -24, "left"),
    ]
    for label in labels:
        best: tuple[float, _Anchor, tuple[float, float, float, float]] | None = None
        for anchor in anchors:
            label.set_position(anchor[:2])
            label.set_horizontalalignment(anchor[2])
            box = label.get_window_extent(renderer).extents
            frame = (box[0], box[1], box[2], box[3])
            cost = sum(_overlap(frame, other) for other in taken)
            if best is None or cost < best[0]:
                best = (cost, anchor, frame)
        if best is not None:
            label.set_position(best[1][:2])
            label.set_horizontalalignment(best[1][2])
            taken.append(best[2])


def _overlap(a: tuple[float, float, float, float], b: tuple[float, float, float, float]) -> float:
    return max(0.0, min(a[2], b[2]) - max(a[0], b[0])) * max(0.0, min(a[3], b[3]) - max(a[1], b[1]))


def _legend(
    axes: "Axes", named: Sequence[DeviceFigures], background: Sequence[DeviceFigures], colours: Mapping[str, str]
) -> None:
    from matplotlib.lines import Line2D

    def entry(label: str, marker: str, colour: str, *, filled: bool, size: float = 6.5) -> Line2D:
        return Line2D(
            [], [], linestyle="", marker=marker, markersize=size, label=label, markeredgecolor=colour,
            markerfacecolor=colour if filled else "none",
        )  # fmt: skip

    entries = []
    bases = {basis_of(device) for device in named}
    if "rated" in bases:
        entries.append(entry("rated", "o", colours["rated"], filled=True))
    if "measured" in bases:
        entries.append(entry("measured, 95 % interval", "D", colours["measured"], filled=True))
    if "assumed" in bases:
        entries.append(entry("measured rate, assumed power", "D", colours["measured"], filled=False))
    if background:
        entries.append(entry("catalogue, rated", "o", colours["muted"], filled=True, size=3.5))
    if any(device.confidence == "unverified" for device in (*named, *background)):
        entries.append(entry("unverified: hollow", "o", colours["muted"], filled=False, size=3.5))
    axes.legend(handles=entries, loc="upper left", frameon=False, labelcolor=colours["ink"], fontsize=9)


def plot_devices(devices: Sequence[DeviceFigures], path: Path) -> list[str]:
    """Draw devices over the catalogue into a file; return the names of those without a hash rate or a power.

    Raises
    ------
    InputError
        The file's ending is unknown, its folder does not exist, or no device has a hash rate and a power.
    """
    if path.suffix not in SUFFIXES:
        raise InputError.at("--plot", expected=f"a file ending in {', '.join(SUFFIXES)}", got=str(path))
    if not is_folder(path.parent):
        raise InputError.at("--plot", expected="a folder that exists", got=str(path.parent))
    drawn, missing = plottable(devices)
    if not drawn:
        raise InputError.at("--plot", expected="a device with a hash rate and a power", got=", ".join(missing))
    labels = {device.name: device.name for device in drawn}
    save([*(device for device in catalogue_devices() if device.name not in labels), *drawn], labels, path)
    return missing


def save(devices: Sequence[DeviceFigures], labels: Mapping[str, str], path: Path) -> None:
    """Draw devices into a file; an SVG takes its colours from the reader's scheme, light or dark."""
    import io

    use_matplotlib()
    from matplotlib import rc_context
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure as Canvas

    from sites.files import write_file

    vector = path.suffix == ".svg"
    colours = _STAND_IN if vector else LIGHT
    with rc_context({"svg.fonttype": "none", "svg.hashsalt": "perwatt", "font.size": 10}):
        figure = Canvas(figsize=(9.0, 6.0), dpi=110, layout="constrained")
        FigureCanvasAgg(figure)
        axes = figure.add_subplot()
        figure.patch.set_facecolor(colours["paper"])
        axes.set_facecolor(colours["paper"])
        power_against_rate(axes, devices, colours, labels)
        target = io.BytesIO()
        metadata = {"Date": None} if vector else {"CreationDate": None} if path.suffix == ".pdf" else None
        figure.savefig(target, format=path.suffix[1:], facecolor=colours["paper"], metadata=metadata)
    content = target.getvalue()
    write_file(path, _themed(content.decode()).encode() if vector else content)


def _themed(svg: str) -> str:
    """Turn the stand-in colours of an SVG into CSS variables with a light and a dark set."""
    for name, colour in _STAND_IN.items():
        svg = svg.replace(colour, f"var(--{name})")
    light, dark = (" ".join(f"--{name}: {scheme[name]};" for name in _NAMES) for scheme in (LIGHT, DARK))
    style = f"<style>svg {{ {light} }} @media (prefers-color-scheme: dark) {{ svg {{ {dark} }} }}</style>"
    head, opening, rest = svg.partition("<defs>")
    return f"{head}{style}{opening}{rest}"
