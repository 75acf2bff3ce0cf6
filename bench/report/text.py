"""Texts of figures on the page: intervals, energy in the field's units, and chips for basis and confidence."""

from typing import TYPE_CHECKING

from bench.quantity import plain, quantity, si
from bench.report.blocks import Chip

if TYPE_CHECKING:
    from bench.compare.device_figures import DeviceFigures
    from bench.results.record import Metric

Interval = tuple[float, float]
_TONES = ("measured", "rated", "modelled", "assumed")


def basis_chip(basis: str | None) -> Chip:
    """Return the chip of a basis."""
    return Chip(basis or "unknown", basis if basis in _TONES else "")  # type: ignore[arg-type]


def confidence_chips(confidence: str | None) -> tuple[Chip, ...]:
    """Return a chip if the source of a figure could not be found again, otherwise none."""
    return (Chip("unverified", "unverified"),) if confidence == "unverified" else ()


def plus_minus(value: float, interval: Interval | None, why_not: str = "no interval: one window") -> str:
    """Return an interval as `± 3.1 % (95 %)`, or as its two ends where it is not symmetric."""
    if interval is None:
        return why_not
    low, high = interval
    below, above = value - low, high - value
    if value > 0 and abs(above - below) <= 0.1 * max(above, below, 1e-300):
        return f"±\N{NO-BREAK SPACE}{_per_cent((above + below) / 2 / value)} (95\N{NO-BREAK SPACE}%)"
    return f"{plain(low)} to {plain(high)} (95\N{NO-BREAK SPACE}%)"


def _per_cent(share: float) -> str:
    """Return a share in per cent with as many digits as an interval needs."""
    return f"{share * 100:.2g}\N{NO-BREAK SPACE}%" if share < 1.0 else f"{share * 100:.0f}\N{NO-BREAK SPACE}%"


def metric_interval(metric: "Metric") -> str:
    """Return a metric's interval, or why it has none."""
    return plus_minus(metric.value, metric.interval_95, f"no interval: {_windows(metric.n)}")


def rate_interval(device: "DeviceFigures") -> str:
    """Return the interval of the rate that a measured device leads with, or why it has none."""
    figure = device.headline()
    if figure is None:
        return ""
    return plus_minus(figure.value, figure.interval, f"no interval: {_windows(len(figure.samples))}")


def _windows(n: int) -> str:
    return "one window" if n == 1 else f"{n} windows"


def energy_per_unit_text(energy_j_per_unit: float, unit: str) -> tuple[str, str]:
    """Return energy per unit of work as number and unit: J/TH for hashes, J or mJ per token, SI prefixes for others."""
    if unit == "J/hash":
        number, _, in_unit = quantity(energy_j_per_unit, unit).partition(" ")
        return number, in_unit
    if unit == "J/token":
        if energy_j_per_unit >= 0.1:
            return plain(energy_j_per_unit), unit
        return plain(energy_j_per_unit * 1e3), f"m{unit}"
    text = si(energy_j_per_unit, unit)
    number, _, rest = text.partition(" ")
    return number, rest


def ratio_interval(value: float, parts: "list[tuple[float, Interval | None]]") -> Interval | None:
    """Return the interval of a product or quotient from those of its parts, in quadrature; None if a part has none."""
    square = 0.0
    for part, interval in parts:
        if interval is None or part == 0.0:
            return None
        square += ((interval[1] - interval[0]) / 2.0 / part) ** 2
    half = value * square**0.5
    return value - half, value + half
