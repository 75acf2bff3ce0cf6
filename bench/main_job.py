"""The main job's second half: the measured machine beside the catalogue, and what the example site would earn."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from bench.records import Record
    from hardware_profiles.profile import Profile
    from sites.year import SiteYear

CATALOGUE_DEVICES = ("antminer-s21", "whatsminer-m60s", "antminer-s23-hyd", "nvidia-h200", "nvidia-rtx-4090")


@dataclass(frozen=True, slots=True)
class DeviceLine:
    """One device in the comparison; a figure that nobody measured or published is None, never 0.

    Attributes
    ----------
    hash_per_s, flop_per_s
        Double SHA-256 [hash/s] and dense matrix product [FLOP/s], with its `dtype`.
    power_w, boundary, power_basis
        Power [W], where it is drawn, and where the figure comes from (`not metered` where there is none).
    """

    name: str
    basis: str
    hash_per_s: float | None
    flop_per_s: float | None
    dtype: str
    power_w: float | None
    boundary: str
    power_basis: str
    confidence: str

    @property
    def j_per_th(self) -> float | None:
        """Energy per 10^12 hashes [J/TH]."""
        return self.power_w / self.hash_per_s * 1e12 if self.power_w and self.hash_per_s else None

    @property
    def flop_per_j(self) -> float | None:
        """Work per joule of matrix products [FLOP/J]."""
        return self.flop_per_s / self.power_w if self.power_w and self.flop_per_s else None


@dataclass(frozen=True, slots=True)
class Assessment:
    """What the main job says beyond its records."""

    devices: tuple[DeviceLine, ...]
    site: "SiteYear"


def assess(records: "Sequence[Record]", store: Path) -> Assessment:
    """Set the measured machine beside the catalogue and compute the example site.

    Raises
    ------
    InputError
        A bundled profile or the example site is faulty.
    """
    from bench.device_rates import resolve_device
    from hardware_profiles.catalog import load
    from sites.examples import example_path
    from sites.site import load_site
    from sites.year import site_year

    site = load_site(example_path(), lambda name: resolve_device(name, store=store))
    lines = [*_measured_lines(records), *(_rated_line(load(name)) for name in CATALOGUE_DEVICES)]
    return Assessment(tuple(lines), site_year(site))


def _measured_lines(records: "Sequence[Record]") -> "list[DeviceLine]":
    by_name = {record.workload.name: record for record in records if record.status == "ok"}
    hashing = next((record for name, record in by_name.items() if name.startswith("sha256d")), None)
    product = next((record for name, record in by_name.items() if name.startswith("matmul_f32")), None)
    lines = []
    for record in filter(None, (hashing, product)):
        power = next((m for name, m in record.metrics.items() if name.startswith("power_")), None)
        assumed = record.assumed_power_w
        lines.append(
            DeviceLine(
                name=f"this machine: {record.device.name}",
                basis="measured",
                hash_per_s=record.metrics["rate"].value if record is hashing else None,
                flop_per_s=record.metrics["rate"].value if record is product else None,
                dtype="fp32" if record is product else "",
                power_w=power.value if power else assumed.power_w if assumed else None,
                boundary=(power.boundary if power else assumed.boundary if assumed else None) or "",
                power_basis="measured" if power else "assumed" if assumed else "not metered",
                confidence="",
            )
        )
    return lines


def _rated_line(profile: "Profile") -> DeviceLine:
    power = profile.figure("wall_power_w") or profile.figure("tdp_w")
    dtype = next((name for name in ("bf16", "fp32") if name in profile.peaks_flop_per_s), "")
    return DeviceLine(
        name=profile.title,
        basis=profile.basis,
        hash_per_s=profile.rate_hash_s,
        flop_per_s=profile.peaks_flop_per_s.get(dtype),
        dtype=dtype,
        power_w=power.si_value if power else None,
        boundary=(power.boundary if power else None) or "",
        power_basis=power.basis if power else "unknown",
        confidence=profile.confidence,
    )
