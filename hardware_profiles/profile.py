"""The content of a profile file as plain values: a device, its bins and modes, and one operating point of it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Literal, NamedTuple

from hardware_profiles.provenance import CONFIDENCES, Basis, Boundary, Confidence

Kind = Literal["asic", "gpu", "cpu"]
KINDS: tuple[Kind, ...] = ("asic", "gpu", "cpu")


class Figure(NamedTuple):
    """A number with its unit, provenance and tolerance."""

    key: str
    value: float  # in `unit`, as in the file
    unit: str
    si_value: float  # in base units
    basis: Basis
    confidence: Confidence
    date: str
    tolerance_frac: float | None  # half-width as the maker states it, or None if unknown
    sources: tuple[str, ...]  # ids of the device's sources
    boundary: Boundary | None  # at which the power is drawn, or None for other figures
    note: str


class Source(NamedTuple):
    """A page or file in which figures were read."""

    id: str
    title: str
    kind: str  # maker, reseller, press, table, test or machine
    address: str
    read: str  # date
    printed: tuple[str, ...]  # the figures as they are printed there
    cites: str | None = None  # address of the maker's page that it cites

    @property
    def publisher(self) -> str:
        """The publisher: the repository of a file on GitHub, else the host, or `unknown` without an address."""
        parts = self.address.split("/")
        if parts[2:3] in (["github.com"], ["raw.githubusercontent.com"]):
            return "/".join(parts[3:5])
        return parts[2] if len(parts) > 2 else self.address


class Disagreement(NamedTuple):
    """A source that prints another value than the profile has."""

    figure: str
    value: float  # in the unit of the figure
    source: str
    note: str


class Point(NamedTuple):
    """A named set of figures: a bin, or a mode of a bin."""

    name: str
    figures: Mapping[str, Figure]
    modes: tuple[Point, ...] = ()
    cooling: str | None = None
    note: str = ""


@dataclass(frozen=True)
class Device:
    """One profile file; the first bin is the default."""

    slug: str
    kind: Kind
    maker: str
    model: str
    released: str
    cooling: str | None
    figures: Mapping[str, Figure]
    bins: tuple[Point, ...]
    features: tuple[str, ...]
    feature_sources: tuple[str, ...]
    feature_confidence: Confidence
    reported_names: tuple[str, ...]
    sources: Mapping[str, Source]
    disagreements: tuple[Disagreement, ...]
    notes: tuple[str, ...]
    path: Path

    def profiles(self, *, modes: bool = False) -> Iterator[Profile]:
        """Yield one profile for each bin, and with `modes` one for each mode."""
        for chosen in self.bins or (None,):
            yield Profile(self, chosen, None)
            if modes and chosen is not None:
                for mode in chosen.modes:
                    yield Profile(self, chosen, mode)

    def every_figure(self) -> Iterator[tuple[str, Figure]]:
        """Yield each figure with its key in the file, such as `bins.200t.wall_power_w`."""
        for key, figure in self.figures.items():
            yield key, figure
        for chosen in self.bins:
            for key, figure in chosen.figures.items():
                yield f"bins.{chosen.name}.{key}", figure
            for mode in chosen.modes:
                for key, figure in mode.figures.items():
                    yield f"bins.{chosen.name}.modes.{mode.name}.{key}", figure


@dataclass(frozen=True)
class Profile:
    """A device at one bin and mode, as tables, sites and comparisons use it."""

    device: Device
    bin: Point | None
    mode: Point | None

    @property
    def kind(self) -> Kind:
        """`asic`, `gpu` or `cpu`."""
        return self.device.kind

    @property
    def slug(self) -> str:
        """The device's name in the catalogue, without bin and mode."""
        return self.device.slug

    @property
    def name(self) -> str:
        """The name that `load` takes: the slug, then bin and mode if the device has several."""
        suffix = [] if self.bin is None or (len(self.device.bins) == 1 and self.mode is None) else [self.bin.name]
        return ":".join([self.slug, *suffix, *([self.mode.name] if self.mode else [])])

    @property
    def title(self) -> str:
        """Maker, model, and bin and mode if the device has several."""
        bin_name = self.bin.name if self.bin and len(self.device.bins) > 1 else ""
        words = [self.device.maker, self.device.model, bin_name, f"({self.mode.name})" if self.mode else ""]
        return " ".join(word for word in words if word)

    @property
    def cooling(self) -> str | None:
        """`air`, `hydro`, `immersion`, `air or immersion`, or None if it does not apply."""
        return (self.bin.cooling if self.bin else None) or self.device.cooling

    @cached_property
    def figures(self) -> Mapping[str, Figure]:
        """All figures at this bin and mode: the mode's take precedence over the bin's, and those over the device's."""
        return {
            **self.device.figures,
            **(self.bin.figures if self.bin else {}),
            **(self.mode.figures if self.mode else {}),
        }

    def figure(self, key: str) -> Figure | None:
        """Return the figure of a key, or None if the profile has none."""
        return self.figures.get(key)

    def _si(self, key: str) -> float | None:
        figure = self.figures.get(key)
        return None if figure is None else figure.si_value

    @property
    def rate_hash_s(self) -> float | None:
        """Rated hash rate [hash/s] of an ASIC."""
        return self._si("hash_rate_th_s")

    @property
    def wall_power_w(self) -> float | None:
        """Rated wall power [W] of an ASIC."""
        return self._si("wall_power_w")

    @property
    def j_per_th(self) -> float | None:
        """Efficiency at the wall [J/TH], computed from power and rate."""
        rate, power = self.figures.get("hash_rate_th_s"), self.figures.get("wall_power_w")
        return None if rate is None or power is None else power.value / rate.value

    @property
    def tdp_w(self) -> float | None:
        """Thermal design power [W] of a GPU board or CPU package."""
        return self._si("tdp_w")

    @property
    def server_w_per_gpu(self) -> float | None:
        """Highest input power of its server divided by the server's GPUs [W] (node boundary)."""
        return self._ratio("server_power_w", "gpus_per_server")

    @property
    def rack_w_per_gpu(self) -> float | None:
        """Highest input power of its rack divided by the rack's GPUs [W] (rack boundary)."""
        return self._ratio("rack_power_w", "gpus_per_rack")

    def _ratio(self, power: str, count: str) -> float | None:
        watts, gpus = self._si(power), self._si(count)
        return None if watts is None or gpus is None else watts / gpus

    @property
    def memory_bytes(self) -> float | None:
        """Device memory [byte] of a GPU."""
        return self._si("memory_gb")

    @property
    def bandwidth_byte_per_s(self) -> float | None:
        """Peak memory bandwidth [byte/s]."""
        return self._si("memory_bandwidth_tb_s") or self._si("memory_bandwidth_gb_s")

    @cached_property
    def peak_figures(self) -> dict[str, Figure]:
        """Dense peaks by dtype: `fp64`, `fp64_tensor`, `fp32`, `tf32`, `fp16`, `bf16`, `fp8`, `fp4`, `int8`."""
        return {
            dtype_of(key): figure
            for key, figure in self.figures.items()
            if key.endswith(("_tflop_s", "_top_s")) and "_sparse_" not in key
        }

    @property
    def peaks_flop_per_s(self) -> dict[str, float]:
        """Dense peaks [FLOP/s or OP/s] by dtype."""
        return {dtype: figure.si_value for dtype, figure in self.peak_figures.items()}

    @property
    def confidence(self) -> Confidence:
        """The weakest confidence of the figures that comparisons use: rate, power, memory, peaks and cores."""
        return weakest(figure.confidence for key, figure in self.figures.items() if _is_compared(key))

    @property
    def basis(self) -> Basis:
        """The basis that all figures of comparisons share, or `rated` if they differ."""
        bases = {figure.basis for key, figure in self.figures.items() if _is_compared(key)}
        return bases.pop() if len(bases) == 1 else "rated"


def dtype_of(key: str) -> str:
    """Return the dtype of a peak's key, as `bf16` of `bf16_dense_tflop_s` or `fp64_tensor` of `fp64_dense_tflop_s`."""
    base = key.rsplit("_", 2)[0]
    return "fp64_tensor" if base == "fp64_dense" else base.removesuffix("_dense").removesuffix("_sparse")


def weakest(confidences: Iterator[Confidence]) -> Confidence:
    """Return the weakest of some confidences, or `unverified` if there are none."""
    return max(confidences, key=CONFIDENCES.index, default="unverified")


_COMPARED = frozenset(
    {
        "hash_rate_th_s",
        "wall_power_w",
        "tdp_w",
        "cores",
        "memory_gb",
        "memory_bandwidth_tb_s",
        "bf16_dense_tflop_s",
        "fp8_dense_tflop_s",
        "fp4_dense_tflop_s",
        "server_power_w",
    }
)


def _is_compared(key: str) -> bool:
    return key in _COMPARED
