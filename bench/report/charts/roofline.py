"""Rooflines of measured devices: their bandwidth and matrix products as ceilings, and the kernels below them."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from bench.quantity import si
from bench.report.blocks import Missing
from bench.report.charts.svg import COLOURS, Chart, Mark, printable, render

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from bench.results.record import Record
    from hardware_profiles.profile import Device

_DEVICES = 3
_TRIAD_FLOP_PER_BYTE = 2.0 / 24.0
_SIZES = {"f64": 8, "fp64": 8, "f32": 4, "fp32": 4, "tf32": 4, "bf16": 2, "fp16": 2, "f16": 2, "fp8": 1, "int8": 1}


@dataclass(frozen=True, slots=True)
class Placed:
    """A kernel under the roof."""

    name: str
    intensity: float  # [FLOP/byte] over its smallest possible traffic
    flop_per_s: float
    record: "Record"


@dataclass(frozen=True, slots=True)
class Ceiling:
    """One ceiling of the roof, measured or rated by the catalogue."""

    name: str
    value: float  # [FLOP/s], or [byte/s] for a slope
    basis: str
    slope: bool = False  # whether it is a bandwidth


def rooflines(records: "Sequence[Record]", catalogue: "Sequence[Device]") -> "list[Chart | Missing]":
    """Return a roofline for each device with a measured bandwidth and a measured product, newest devices last.

    A line says so if there are more than three devices, or if a device lacks one of the two.
    """
    by_device: dict[str, list[Record]] = {}
    for record in records:
        by_device.setdefault(record.device.name, []).append(record)
    charts: list[Chart | Missing] = []
    for number, (name, of_device) in enumerate(list(by_device.items())[-_DEVICES:]):
        ceilings, placed = _ceilings(of_device), _placed(of_device)
        if not any(one.slope for one in ceilings) or all(one.slope for one in ceilings):
            lacking = "memory bandwidth" if not any(one.slope for one in ceilings) else "matrix product"
            charts.append(Missing(f"Roofline of {name}", f"no measured {lacking} among the results on this page"))
        else:
            charts.append(_chart(f"roofline-{number}", name, [*ceilings, *_rated(name, catalogue)], placed))
    if len(by_device) > _DEVICES:
        charts.append(
            Missing("More rooflines", f"drawn for {_DEVICES} devices of {len(by_device)}; name results to choose")
        )
    return charts


def _ceilings(records: "Sequence[Record]") -> list[Ceiling]:
    best: dict[tuple[str, bool], Ceiling] = {}
    for record in records:
        slope = record.workload.unit == "byte"
        if record.rate is None or record.workload.unit not in {"byte", "flop"}:
            continue
        name = record.workload.name.removesuffix("_cpu").removesuffix("_cuda").replace("_", " ")
        key = ("bandwidth" if slope else str(record.workload.parameters.get("dtype", "")), slope)
        if key not in best or record.rate.value > best[key].value:
            best[key] = Ceiling(name, record.rate.value, "measured", slope)
    return list(best.values())


def _rated(name: str, catalogue: "Sequence[Device]") -> list[Ceiling]:
    from hardware_profiles.catalog import recognise
    from hardware_profiles.profile import Profile

    device = recognise(name, catalogue)
    if device is None:
        return []
    profile = Profile(device, device.bins[0] if device.bins else None, None)
    ceilings = [
        Ceiling(f"{dtype} dense peak", peak, "rated")
        for dtype, peak in profile.peaks_flop_per_s.items()
        if dtype in {"bf16", "fp8", "fp32"}
    ]
    if profile.bandwidth_byte_per_s:
        ceilings.append(Ceiling("memory", profile.bandwidth_byte_per_s, "rated", slope=True))
    return ceilings


def _placed(records: "Sequence[Record]") -> list[Placed]:
    placed = []
    for record in records:
        work = record.workload
        if record.rate is None:
            continue
        if work.unit == "flop" and (intensity := _product_intensity(record)) is not None:
            placed.append(Placed(f"{work.name} {work.variant}", intensity, record.rate.value, record))
        elif work.unit == "byte" and "triad" in work.name:
            placed.append(Placed(work.name, _TRIAD_FLOP_PER_BYTE, record.rate.value * _TRIAD_FLOP_PER_BYTE, record))
    return placed


def _product_intensity(record: "Record") -> float | None:
    """Return FLOP over the bytes of three matrices that are each touched once."""
    parameters = record.workload.parameters
    m, n, k = (parameters.get(key) for key in ("m", "n", "k"))
    size = _SIZES.get(str(parameters.get("dtype", "")))
    if size is None or not (isinstance(m, int) and isinstance(n, int) and isinstance(k, int)) or m * n * k <= 0:
        return None
    return 2.0 * m * n * k / (size * (m * k + k * n + m * n))


def _chart(key: str, device: str, ceilings: "Sequence[Ceiling]", placed: "Sequence[Placed]") -> Chart:
    slopes = [one for one in ceilings if one.slope]
    flats = [one for one in ceilings if not one.slope]
    bandwidth = max((one for one in slopes if one.basis == "measured"), key=lambda one: one.value)
    top = max((one for one in flats if one.basis == "measured"), key=lambda one: one.value)
    ridge = top.value / bandwidth.value
    summary = (
        f"{device}: measured ceilings {si(bandwidth.value, 'B/s')} ({bandwidth.name}) and {si(top.value, 'FLOP/s')} "
        f"({top.name}) meet at {ridge:.3g} FLOP/byte; kernels left of it are limited by "
        "memory, kernels right of it by arithmetic."
    )
    intensities = [ridge, *(top.value / one.value for one in slopes), *(one.intensity for one in placed)]
    low, high = min(intensities) / 4.0, max(intensities) * 4.0

    def draw(figure: "Figure", narrow: bool) -> Iterable[Mark]:
        axes = figure.subplots()
        axes.set(xscale="log", yscale="log", xlim=(low, high))
        roof = max(one.value for one in flats)
        for one in slopes:
            _line(axes, one, (low, min(high, roof / one.value)))
        for one in flats:
            _line(axes, one, (min(one.value / max(s.value for s in slopes), high), high))
        for point in placed:
            axes.plot(
                [point.intensity], [point.flop_per_s], marker="D", markersize=8, color=COLOURS["measured"], zorder=5
            )
            if not narrow:
                axes.annotate(
                    printable(point.name), (point.intensity, point.flop_per_s), xytext=(-9, -4),
                    textcoords="offset points", ha="right", va="top", fontsize=9.5,
                )  # fmt: skip
        _formats(axes)
        return [
            *(Mark(axes, one.intensity, one.flop_per_s, _describe(one)) for one in placed),
            *(
                Mark(axes, high / 1.6, one.value, f"{one.name}: {si(one.value, 'FLOP/s')}, {one.basis}")
                for one in flats
            ),
        ]

    return render(key, "Roofline", summary, draw, heights=(440.0, 400.0))


def _line(axes: "Axes", one: Ceiling, x: tuple[float, float]) -> None:
    y = (one.value * x[0], one.value * x[1]) if one.slope else (one.value, one.value)
    rated = one.basis == "rated"
    axes.plot(x, y, color=COLOURS["rated" if rated else "ink"], linewidth=1.3 if rated else 2.0,
              linestyle="--" if rated else "-")  # fmt: skip
    text = f"{one.name}, {si(one.value, 'B/s' if one.slope else 'FLOP/s')}, {one.basis}"
    place = (x[0], y[0]) if one.slope else (x[1], y[1])
    axes.annotate(
        text, place, xytext=(16, 3) if one.slope else (-4, 4), textcoords="offset points",
        ha="left" if one.slope else "right", va="bottom" if not one.slope else "top", fontsize=9,
        color=COLOURS["rated" if rated else "ink"],
    )  # fmt: skip


def _formats(axes: "Axes") -> None:
    from matplotlib.ticker import FuncFormatter, NullFormatter

    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: si(value, "FLOP/s")))
    axes.xaxis.set_minor_formatter(NullFormatter())
    axes.yaxis.set_minor_formatter(NullFormatter())
    axes.set_xlabel("FLOP per byte")


def _describe(one: Placed) -> str:
    shown = f"{si(one.flop_per_s, 'FLOP/s')} at {one.intensity:.3g} FLOP/byte, measured"
    return f"{one.name} · {shown} · result {one.record.id}"
