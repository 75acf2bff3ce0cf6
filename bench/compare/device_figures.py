"""The figures of one device: rates, energies and powers of a stored result or of a catalogue profile."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Literal

from bench.quantity import HASHES_PER_TH
from bench.results.best_meter import trust

Group = Literal["rate", "energy", "power"]
HEADLINES = ("hash", "flop bf16", "flop fp16", "flop fp32", "flop fp64", "byte")
"""Works whose rate a device leads with, the first that it has."""


@dataclass(frozen=True, slots=True)
class Figure:
    """One figure of a device, in SI base units."""

    group: Group
    of: str  # the work: hash, flop fp32, byte, token; empty for a power
    value: float  # in `unit`
    unit: str
    basis: str
    confidence: str = ""
    interval: tuple[float, float] | None = None  # 95 %
    samples: tuple[float, ...] = ()  # one value a window, for what was measured here
    boundary: str = ""  # where power is drawn; empty for a rate
    tier: str = ""  # how far its meter is trusted; empty for a rate
    u_meter_frac: float = 0.0  # [-] standard uncertainty of the meter
    u_work_frac: float = 0.0  # [-] standard uncertainty of the work counted and of the windows' edges
    meter_domains: tuple[str, ...] = ()  # the physical sources that the meter reads
    note: str = ""
    origin: str = ""  # id of the result, or name of the profile
    tolerance_frac: float | None = None  # [-] of a rated figure, by its maker


@dataclass(frozen=True, slots=True)
class DeviceFigures:
    """A device with its figures and what a reader must know of them; every table, plot and page takes its figures here.

    A figure that was neither measured nor published is absent, never 0.
    """

    name: str  # id of the result, or name of the profile
    title: str  # workload and variant of the result, or name of the product
    figures: tuple[Figure, ...]
    source: Literal["result", "profile"]
    basis: str = "measured"
    confidence: str = ""  # the weakest of a profile's figures
    workload: str = ""
    version: int = 0  # of the workload; 0 for a profile
    device: str = ""  # name that the device reports, or file name of the profile
    device_kind: str = ""  # cpu, gpu or asic
    run_id: str = ""
    parameters: tuple[tuple[str, str], ...] = ()
    released: str = "unknown"  # date of release, or of the measurement
    sources: tuple[tuple[str, str], ...] = ()  # title and address
    refused: str = ""  # why none of the figures may enter a ratio
    warned: tuple[str, ...] = ()  # codes that every ratio carries
    mode: str = ""  # of a measured miner, in the words of its firmware
    nominal_rate_h_s: float | None = None  # [hash/s] of a measured miner, as its firmware states it
    unverified: str = ""  # why the rate of a measured miner is not verified by its shares
    note: str = ""

    @property
    def device_title(self) -> str:
        """The name of the device itself."""
        return self.title if self.source == "profile" else self.device

    @property
    def measured_here(self) -> bool:
        """Whether a stored result holds the figures; a published measurement is part of a profile."""
        return self.source == "result"

    def rate(self, of: str) -> Figure | None:
        """Return the rate of a work."""
        return next(self._each("rate", of), None)

    def headline(self) -> Figure | None:
        """Return the rate that the device leads with: hashes, else the usual matrix product, else bytes, else any."""
        known = (self.rate(of) for of in HEADLINES)
        return next((figure for figure in known if figure is not None), next(self._each("rate"), None))

    def matrix_product(self) -> Figure | None:
        """Return the rate of matrix products in the data type that most work is done in."""
        known = (self.rate(of) for of in HEADLINES if of.startswith("flop "))
        products = (figure for figure in self._each("rate") if figure.of.startswith("flop"))
        return next((figure for figure in known if figure is not None), next(products, None))

    def power(self, origin: str = "") -> Figure | None:
        """Return the power of the best meter, else the declared or rated one; `origin` narrows it to one result."""
        return min((figure for figure in self._each("power") if not origin or figure.origin == origin),
                   key=_trust, default=None)  # fmt: skip

    def energy_j_per_unit(self, of: str) -> float | None:
        """Return the energy per unit of a work [J/unit]: metered or rated, else power over rate of one source."""
        energy = min(self._each("energy", of), key=_trust, default=None)
        if energy is not None:
            return energy.value or None
        rate = self.rate(of)
        power = self.power(rate.origin) if rate is not None else None
        return power.value / rate.value if power is not None and rate is not None and rate.value > 0 else None

    @property
    def power_basis(self) -> str:
        """The basis of its power, or `not metered` and `unknown` where it has none."""
        power = self.power()
        return power.basis if power is not None else "not metered" if self.measured_here else "unknown"

    @property
    def j_per_th(self) -> float | None:
        """Energy of 10^12 hashes [J/TH]."""
        energy_j_per_hash = self.energy_j_per_unit("hash")
        return energy_j_per_hash * HASHES_PER_TH if energy_j_per_hash else None

    def flop_per_j(self) -> dict[str, float]:
        """Return the work per joule [FLOP/J] by data type."""
        works = dict.fromkeys(figure.of for figure in self.figures if figure.of.partition(" ")[0] == "flop")
        energies = {of.partition(" ")[2]: self.energy_j_per_unit(of) for of in works}
        return {dtype: 1 / j_per_flop for dtype, j_per_flop in energies.items() if j_per_flop}

    def _each(self, group: Group, of: str | None = None) -> Iterator[Figure]:
        return (figure for figure in self.figures if figure.group == group and of in (None, figure.of))


def joined(name: str, devices: Iterable[DeviceFigures]) -> DeviceFigures:
    """Return the figures of several results of one device under one name; each keeps its origin."""
    every = list(devices)
    return DeviceFigures(
        name,
        name,
        tuple(figure for device in every for figure in device.figures),
        "result",
        device=every[0].device if every else "",
        device_kind=every[0].device_kind if every else "",
    )


def _trust(figure: Figure) -> tuple[bool, str]:
    """Return a key that sorts measured figures first, those of the best tier before the others."""
    return figure.basis != "measured", trust(figure.tier)
