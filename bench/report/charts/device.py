"""Charts of power against rate on logarithmic axes: measured devices over the catalogue, lines of equal efficiency."""

import math
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from bench.compare import plot
from bench.compare.device_figures import DeviceFigures, Figure
from bench.quantity import HASHES_PER_TH, plain, quantity, rate, si
from bench.report.charts.svg import COLOURS, Chart, Mark, printable, render
from bench.report.text import rate_interval

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure as Canvas

_TITLES = {
    "hash": ("Hashing: power against hash rate", "J/TH", "hash rate", "hash/s"),
    "flop": ("Matrix products: power against rate", "FLOP/J", "dense matrix product", "flop/s"),
}
_MOST_NAMES = 7
_MOST_LISTED = 4
_ISO_FLOP_PER_J = tuple(step * 10.0**power for power in range(7, 14) for step in (1.0, 2.0, 5.0))


def leads_with(device: DeviceFigures, work: str) -> bool:
    """Return whether a device belongs into the chart of a work: hash, or flop for what does not hash."""
    return device.rate("hash") is not None if work == "hash" else _rate(device, work) is not None


def power_against_rate(work: str, devices: Sequence[DeviceFigures]) -> Chart:
    """Draw devices by rate and power; those without a power are named at the lower edge."""
    title, per_joule, rate_name, in_unit = _TITLES[work]
    placed = sorted((device for device in devices if device.power()), key=lambda device: device.measured_here)
    unmetered = [device for device in sorted(devices, key=_by_rate) if device.measured_here and not device.power()]
    bare = list({device.device_title: device for device in unmetered}.values())
    rated = [device for device in placed if not device.measured_here]
    here = [device for device in devices if device.measured_here]
    summary = (
        f"{len(rated)} points of the catalogue and {len(here)} measured here; {rate_name} across, power upward, "
        f"lines of equal {per_joule}. {_best(work, rated, 'in the catalogue')} "
        f"{_best(work, here, 'measured here')}".strip()
    )
    notes = []
    if bare:
        listed = [f"{device.device_title} at {rate(_by_rate(device), in_unit)}" for device in bare[:_MOST_LISTED]]
        notes.append(f"Measured without a meter, so not on the power axis: {', '.join(dict.fromkeys(listed))}.")
    if any(device.confidence == "unverified" for device in rated):
        notes.append("Hollow points use figures whose source could not be found again (unverified).")
    if work == "flop" and rated:
        notes.append("Rated points are dense peaks (bf16, else fp16 or fp32) over thermal design power.")

    def draw(figure: "Canvas", narrow: bool) -> Iterable[Mark]:
        axes = figure.subplots()
        named = _worth_naming(placed, best=1 if narrow else 3)
        if work == "hash":
            labels = {device.name: _short(device.device_title) for device in placed if device.name in named}
            plot.power_against_rate(axes, placed, COLOURS, labels)
        else:
            _products(axes, placed, named)
        _ticks(axes, work, narrow=narrow)
        _at_the_edge(axes, bare[:3], in_unit)
        scale = HASHES_PER_TH if work == "hash" else 1.0
        return [Mark(axes, _by_rate(d) / scale, _watts(d), describe(work, d)) for d in placed]

    return render(f"chart-{work}", title, summary, draw, notes=notes, heights=(470.0, 420.0))


def _rate(device: DeviceFigures, work: str) -> Figure | None:
    if work == "hash":
        return device.rate("hash")
    return device.matrix_product() if device.rate("hash") is None else None


def _by_rate(device: DeviceFigures) -> float:
    """Return the rate that a device is drawn by [hash/s or FLOP/s]."""
    figure = device.rate("hash") or device.matrix_product()
    return figure.value if figure is not None else 0.0


def _watts(device: DeviceFigures) -> float:
    power = device.power()
    return power.value if power is not None else 0.0


def _energy_j_per_unit(device: DeviceFigures) -> float | None:
    """Return the energy of a hash or a FLOP [J/unit]."""
    figure = device.rate("hash") or device.matrix_product()
    return device.energy_j_per_unit(figure.of) if figure is not None else None


def _worth_naming(placed: Sequence[DeviceFigures], best: int) -> set[str]:
    """Return the points that carry a name: those measured here, the most efficient devices, the ends of the range."""
    ranked = sorted(placed, key=lambda device: _energy_j_per_unit(device) or math.inf)
    first_of_device: dict[str, str] = {}
    for device in ranked:
        first_of_device.setdefault(device.name if device.measured_here else device.device, device.name)
    ends = max(placed, key=_by_rate), min(placed, key=_by_rate)
    here = [device.name for device in placed if device.measured_here][:_MOST_NAMES]
    return {*list(first_of_device.values())[:best], *(device.name for device in ends), *here}


def _best(work: str, devices: Sequence[DeviceFigures], where: str) -> str:
    known = [(energy, device) for device in devices if (energy := _energy_j_per_unit(device))]
    if not known:
        return ""
    energy, device = min(known, key=lambda pair: pair[0])
    return f"Best {where}: {device.device_title}, {_energy_text(work, energy)}."


def _energy_text(work: str, energy_j_per_unit: float) -> str:
    return quantity(energy_j_per_unit, "J/hash") if work == "hash" else si(1.0 / energy_j_per_unit, "FLOP/J")


def _products(axes: "Axes", placed: Sequence[DeviceFigures], named: set[str]) -> None:
    """Draw devices by dense matrix product and power, with lines of equal FLOP/J."""
    axes.set(xscale="log", yscale="log", xlabel="matrix product", ylabel="power")
    rates, powers = [_by_rate(device) for device in placed], [_watts(device) for device in placed]
    low_x, high_x = min(rates) / 1.6, max(rates) * 2.2
    low_y, high_y = min(powers) / 1.4, max(powers) * 1.6
    axes.set(xlim=(low_x, high_x), ylim=(low_y, high_y))
    for value in _ISO_FLOP_PER_J:
        start, end = max(low_x, low_y * value), min(high_x, high_y * value)
        if start < end:
            axes.plot([start, end], [start / value, end / value], color=COLOURS["grid"], linewidth=0.9, zorder=1)
            axes.annotate(
                si(value, "FLOP/J"), (end, end / value), xytext=(-3, -3), textcoords="offset points", ha="right",
                va="top", fontsize=8, color=COLOURS["muted"], zorder=1,
            )  # fmt: skip
    for device, x, y in zip(placed, rates, powers, strict=True):
        here = device.measured_here
        colour = COLOURS["measured" if here else "rated"]
        hollow = device.confidence == "unverified" or device.power_basis == "assumed"
        axes.errorbar(
            x, y, xerr=_bars(_rate(device, "flop")), yerr=_bars(device.power()), fmt="D" if here else "o",
            markersize=6.5, color=colour, markerfacecolor="none" if hollow else colour, capsize=3,
            zorder=4 if here else 3,
        )  # fmt: skip
        if device.name in named:
            axes.annotate(
                _short(device.device_title), (x, y), xytext=(-7, 6), ha="right", textcoords="offset points",
                fontsize=9, color=COLOURS["ink"], zorder=5,
            )  # fmt: skip


def _short(title: str) -> str:
    text = printable(title)
    return text if len(text) <= 30 else f"{text[:29]}…"


def _bars(figure: Figure | None) -> list[list[float]] | None:
    if figure is None or figure.interval is None:
        return None
    value, (low, high) = figure.value, figure.interval
    return [[max(0.0, min(value - low, value * 0.999))], [max(0.0, high - value)]]


def _ticks(axes: "Axes", work: str, *, narrow: bool) -> None:
    """Label decades, or 1-2-5 where the range holds few of them, with units instead of powers of ten."""
    from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter

    scale, in_unit = (HASHES_PER_TH if work == "hash" else 1.0), _TITLES[work][3]
    for axis, (low, high) in ((axes.xaxis, axes.get_xlim()), (axes.yaxis, axes.get_ylim())):
        span = math.log10(high / low)
        fits = 4 if narrow and axis is axes.xaxis else 7
        subs = (1.0, 2.0, 5.0) if span * 3 <= fits else (1.0, 3.0) if span * 2 <= fits else (1.0,)
        axis.set_major_locator(LogLocator(base=10.0, subs=subs, numticks=fits + 1))
        axis.set_minor_formatter(NullFormatter())
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: rate(value * scale, in_unit)))
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: si(value, "W")))
    axes.set(xlabel="", ylabel="")


def _at_the_edge(axes: "Axes", bare: Sequence[DeviceFigures], in_unit: str) -> None:
    for line, device in enumerate(bare):
        axes.annotate(
            f"◂ {_short(device.device_title)}: {rate(_by_rate(device), in_unit)}, not metered", (0.0, 0.0),
            xycoords="axes fraction", xytext=(6, 8 + 14 * line), textcoords="offset points", fontsize=9,
            color=COLOURS["measured"], zorder=6,
        )  # fmt: skip


def describe(work: str, device: DeviceFigures) -> str:
    """Return the text of a point: figures, basis, interval, sources."""
    figure, power, energy = _rate(device, work), device.power(), _energy_j_per_unit(device)
    title, note = device.device_title, device.note
    dtype = figure.of.partition(" ")[2] if figure else ""
    interval = rate_interval(device) if device.measured_here else ""
    parts = [
        f"{title} ({note})" if note and note != title else title,
        f"{rate(figure.value if figure else None, _TITLES[work][3])} {dtype}".strip()
        + f", {device.basis}"
        + (f" {interval}" if interval else ""),
        f"{plain(power.value)} W {power.boundary}, {power.basis}" if power else "not metered",
        *([_energy_text(work, energy)] if energy else []),
        *([f"confidence {device.confidence}"] if device.confidence else []),
        "sources: " + ("; ".join(title for title, _ in device.sources) or "none"),
    ]
    return " · ".join(parts)
