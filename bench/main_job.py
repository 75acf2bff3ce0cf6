"""The main job's second half: the measured machine beside the catalogue, and what the example site would earn."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from bench.device_rates import from_record, resolve_device

if TYPE_CHECKING:
    from bench.results.record import Record
    from hardware_profiles.profile import Profile
    from sites.dispatch.year import SiteYear
    from sites.market.device_rate import DeviceRate
    from sites.model import Site
    from sites.scenarios.one_device import Alone
    from sites.scenarios.outlook import Outlook

SCENARIOS = 10_000
MINERS, MODULES = "miners", "gpu modules"
"""The example site's blocks."""
CATALOGUE_MINERS = ("antminer-s21", "whatsminer-m60s", "antminer-s23-hyd")
CATALOGUE_DEVICES = (*CATALOGUE_MINERS, "nvidia-h200", "nvidia-rtx-4090")


@dataclass(frozen=True, slots=True)
class DeviceLine:
    """One device in the comparison; a figure that nobody measured or published is None, never 0.

    Attributes
    ----------
    name
        `this machine`, or the device's name in the catalogue.
    hash_per_s, flop_per_s
        Double SHA-256 [hash/s] and dense matrix product [FLOP/s] at `dtype`.
    j_per_th, flop_per_j
        Energy per 10^12 hashes [J/TH] and work per joule [FLOP/J], each with the power of its own workload.
    power_w, boundary, power_basis
        Power [W], where it is drawn, and its basis (`not metered` where there is none).
    """

    name: str
    basis: str
    hash_per_s: float | None
    flop_per_s: float | None
    dtype: str
    j_per_th: float | None
    flop_per_j: float | None
    power_w: float | None
    boundary: str
    power_basis: str
    confidence: str


@dataclass(frozen=True, slots=True)
class Assessment:
    """What the main job says beyond its records: the machine among devices, and the example site as it is planned."""

    devices: tuple[DeviceLine, ...]
    site: "SiteYear"
    outlook: "Outlook"
    alone: "tuple[Alone, ...]"


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What the main job sets its measurements beside, read before anything is measured: faults are told at once.

    alone: the example site with each device alone, by the device's name.
    """

    site: "Site"
    rated: tuple[DeviceLine, ...]
    alone: "dict[str, Site]"


def surroundings(store: Path) -> Surroundings:
    """Return the example site and the catalogue's devices.

    Raises
    ------
    InputError
        A profile that they need or the example site is faulty.
    """
    from hardware_profiles.catalog import load
    from sites.examples import example_path
    from sites.file.build import load_site

    def resolve(name: str) -> "DeviceRate":
        return resolve_device(name, store=store)

    site = load_site(example_path(), resolve)
    blocks = ((MINERS, None), *((MINERS, load(name).name) for name in CATALOGUE_MINERS), (MODULES, None))
    alone = [_alone(block, device, resolve) for block, device in blocks]
    return Surroundings(
        site, tuple(_rated_line(load(name)) for name in CATALOGUE_DEVICES), {one.name: one for one in alone}
    )


def assess(records: "Sequence[Record]", beside: Surroundings) -> Assessment:
    """Set the measured machine beside the catalogue; compute the example site's year and its outlook over scenarios."""
    from sites.dispatch.year import site_year
    from sites.scenarios.one_device import each_alone
    from sites.scenarios.outlook import default_outlook

    machine = _measured_line(records)
    alone = dict(beside.alone)
    hashing = _first(records, "sha256d")
    if hashing is not None and machine.j_per_th is not None:
        rate = from_record(hashing)
        alone = {machine.name: replace(_alone(MINERS, machine.name, lambda _: rate), name=machine.name), **alone}
    return Assessment(
        devices=(machine, *beside.rated),
        site=site_year(beside.site),
        outlook=default_outlook([beside.site], SCENARIOS),
        alone=each_alone(list(alone.values()), SCENARIOS),
    )


def _alone(block: str, device: str | None, resolve: "Callable[[str], DeviceRate]") -> "Site":
    """Return the example site with one block alone, under its device's name."""
    from hardware_profiles.reading import read_toml, validate
    from sites.examples import example_path
    from sites.file.build import build_site
    from sites.file.site_file import SiteFile
    from sites.scenarios.one_device import filled

    path = example_path()
    file = filled(validate(SiteFile, read_toml(path), path), path, block, device)
    site = build_site(file, resolve, str(path))
    return replace(site, name=next(iter(site.blocks)).rate.name)


def _measured_line(records: "Sequence[Record]") -> DeviceLine:
    hashing, product = _first(records, "sha256d"), _first(records, "matmul_f32")
    hash_power, product_power = _power(hashing), _power(product)
    power = hash_power or product_power
    return DeviceLine(
        name="this machine",
        basis="measured",
        hash_per_s=_rate(hashing),
        flop_per_s=_rate(product),
        dtype="fp32" if product else "",
        j_per_th=_over(hash_power.watts if hash_power else None, _rate(hashing), 1e12),
        flop_per_j=_over(_rate(product), product_power.watts if product_power else None),
        power_w=power.watts if power else None,
        boundary=power.boundary if power else "",
        power_basis=power.basis if power else "not metered",
        confidence="",
    )


class _Power(NamedTuple):
    watts: float
    boundary: str
    basis: str


def _power(record: "Record | None") -> _Power | None:
    if record is None:
        return None
    measured = next((metric for name, metric in record.metrics.items() if name.startswith("power_")), None)
    if measured is not None:
        return _Power(measured.value, measured.boundary or "", "measured")
    assumed = record.assumed_power_w
    return _Power(assumed.power_w, assumed.boundary, "assumed") if assumed else None


def _first(records: "Sequence[Record]", beginning: str) -> "Record | None":
    return next((one for one in records if one.status == "ok" and one.workload.name.startswith(beginning)), None)


def _rate(record: "Record | None") -> float | None:
    return record.metrics["rate"].value if record else None


def _over(above: float | None, below: float | None, scale: float = 1.0) -> float | None:
    return above / below * scale if above and below else None


def _rated_line(profile: "Profile") -> DeviceLine:
    power = profile.figure("wall_power_w") or profile.figure("tdp_w")
    dtype = next((name for name in ("bf16", "fp32") if name in profile.peaks_flop_per_s), "")
    watts, peak = power.si_value if power else None, profile.peaks_flop_per_s.get(dtype)
    return DeviceLine(
        name=profile.name,
        basis=profile.basis,
        hash_per_s=profile.rate_hash_s,
        flop_per_s=peak,
        dtype=dtype,
        j_per_th=profile.j_per_th,
        flop_per_j=_over(peak, watts),
        power_w=watts,
        boundary=(power.boundary if power else None) or "",
        power_basis=power.basis if power else "unknown",
        confidence=profile.confidence,
    )
