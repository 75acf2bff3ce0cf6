"""The assessment that ends the main job: the machine among the catalogue's devices, and what the example site earns."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bench.compare.device_figures import DeviceFigures, joined
from bench.compare.load import of_profile, of_record
from bench.device_rates import from_record, is_usable, resolve_rate
from bench.lab_miner import LabMiner, lab_miner
from hardware_profiles.errors import InputError

if TYPE_CHECKING:
    from bench.measure.scan_choice import ScanChoice
    from bench.results.record import Record
    from sites.dispatch.year import SiteYear
    from sites.market.device_rate import DeviceRate
    from sites.model import Site
    from sites.perspective.one_device import Megawatt
    from sites.scenarios.outlook import Outlook

SCENARIOS = 10_000
MINERS, MODULES = "miners", "gpu modules"
"""Names of the example site's blocks."""
CATALOGUE_MINERS = ("antminer-s21", "whatsminer-m60s", "antminer-s23-hyd")
CATALOGUE_DEVICES = (*CATALOGUE_MINERS, "nvidia-h200", "nvidia-rtx-4090")
THIS_MACHINE = "this machine"
_HASHING, _PRODUCT = "sha256d", "matmul_f32"
"""Beginnings of the names of the workloads that are compared with the catalogue."""


@dataclass(frozen=True, slots=True)
class Assessment:
    """The machine among the catalogue's devices, the example site, and one megawatt of it with each device type."""

    devices: tuple[DeviceFigures, ...]  # the lab's miner first, then the machine
    site: "SiteYear"
    outlook: "Outlook"
    megawatts: "tuple[Megawatt, ...]"
    lab: LabMiner | None = None
    why_no_megawatt: str = ""  # why the lab's miner is not among the megawatts
    scan_choice: "ScanChoice | None" = None  # which scan was measured


@dataclass(frozen=True, slots=True)
class Surroundings:
    """The catalogue's devices and the example site, read before anything is measured so that faults stop it early."""

    site: "Site"
    rated: tuple[DeviceFigures, ...]
    alone: "dict[str, Site]"  # the example site with one device type, by the device's name
    lab: LabMiner | None


def surroundings(store: Path) -> Surroundings:
    """Return the example site, the catalogue's devices and the lab's miner.

    Raises
    ------
    InputError
        The example site or a profile that it needs is faulty, or PERWATT_MINER is no address.
    """
    from hardware_profiles.catalog import load
    from sites.examples import example_path
    from sites.file.build import load_site

    def resolve(name: str) -> "DeviceRate":
        return resolve_rate(name, store=store)

    planned = load_site(example_path(), resolve)
    blocks = ((MINERS, None), *((MINERS, load(name).name) for name in CATALOGUE_MINERS), (MODULES, None))
    alone = [_alone(block, device, resolve) for block, device in blocks]
    rated = tuple(of_profile(load(name)) for name in CATALOGUE_DEVICES)
    return Surroundings(planned, rated, {site.name: site for site in alone}, lab_miner(store))


def assess(records: "Sequence[Record]", prepared: Surroundings, scan_choice: "ScanChoice | None" = None) -> Assessment:
    """Compare the measured machine with the catalogue; compute the example site's year and its outlook."""
    from sites.dispatch.year import site_year
    from sites.perspective.one_device import each_megawatt
    from sites.scenarios.outlook import default_outlook

    hashing, product = _first(records, _HASHING), _first(records, _PRODUCT)
    machine = joined(THIS_MACHINE, [of_record(record) for record in (hashing, product) if record is not None])
    alone = dict(prepared.alone)
    if hashing is not None and machine.j_per_th is not None and is_usable(hashing):
        rate = from_record(hashing)
        alone = {machine.name: replace(_alone(MINERS, machine.name, lambda _: rate), name=machine.name), **alone}
    lab, why = prepared.lab, ""
    of_lab = lab.figures if lab is not None else None
    if lab is not None and of_lab is not None:
        try:
            alone = {lab.name: _lab_alone(lab), **alone}
        except InputError as fault:
            why = str(fault)
    return Assessment(
        devices=(*((of_lab,) if of_lab is not None else ()), machine, *prepared.rated),
        site=site_year(prepared.site),
        outlook=default_outlook([prepared.site], SCENARIOS),
        megawatts=each_megawatt(list(alone.values()), SCENARIOS),
        lab=lab,
        why_no_megawatt=why,
        scan_choice=scan_choice,
    )


def _alone(block: str, device: str | None, resolve: "Callable[[str], DeviceRate]") -> "Site":
    """Return the example site with one block alone, under its device's name."""
    from hardware_profiles.reading import read_toml, validate
    from sites.examples import example_path
    from sites.file.build import build_site
    from sites.file.site_file import SiteFile
    from sites.perspective.one_device import filled

    path = example_path()
    file = filled(validate(SiteFile, read_toml(path), path), path, block, device)
    site = build_site(file, resolve, str(path))
    return replace(site, name=next(iter(site.blocks)).rate.name)


def _lab_alone(lab: LabMiner) -> "Site":
    """Return the example site with the lab's miner alone; raise InputError without its rate and wall power."""
    rate = lab.rate()
    return replace(_alone(MINERS, f"result:{rate.name}", lambda _: rate), name=lab.name)


def _first(records: "Sequence[Record]", beginning: str) -> "Record | None":
    return next((r for r in records if r.status == "ok" and r.workload.name.startswith(beginning)), None)


def device_document(device: DeviceFigures) -> dict[str, Any]:
    """Return a device as one JSON-ready row: SI base units, and J/TH."""
    hashes, product, power = device.rate("hash"), device.matrix_product(), device.power()
    dtype = product.of.partition(" ")[2] if product else ""
    return {
        "name": device.name,
        "basis": device.basis,
        "hash_per_s": hashes.value if hashes else None,
        "flop_per_s": product.value if product else None,
        "dtype": dtype,
        "j_per_th": device.j_per_th,
        "flop_per_j": device.flop_per_j().get(dtype),
        "power_w": power.value if power else None,
        "boundary": power.boundary if power else "",
        "power_basis": device.power_basis,
        "confidence": device.confidence,
    }
