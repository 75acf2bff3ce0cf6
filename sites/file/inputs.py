"""The inputs of each site of a site or fleet file: the file's content, and the rates of its devices.

`read_inputs` is where every yield begins.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from hardware_profiles.errors import Faults, InputError
from sites.file.build import build_site
from sites.file.build_blocks import check_devices
from sites.file.fleet_file import read_documents, validated
from sites.file.values import SeriesTable

if TYPE_CHECKING:
    from pathlib import Path

    from sites.file.build_blocks import Resolve
    from sites.file.site_file import SiteFile
    from sites.market.device_rate import DeviceRate
    from sites.model import Site
    from sites.operating_points import OperatingCurve
    from sites.storage.ramps import MeasuredRamp


@dataclass(frozen=True, slots=True)
class Inputs:
    """The inputs of one site."""

    file: SiteFile
    path: str  # of the file; paths of hourly files are relative to its folder
    devices: dict[str, DeviceRate | OperatingCurve | MeasuredRamp]  # and ramps, by the names in the file
    names: dict[str, str] = field(default_factory=dict)  # original names of stored copies of hourly files
    native: bool = False  # whether the year has steps as long as the shortest interval of its prices, not hours

    def site(self) -> Site:
        """Build the site from these inputs alone."""
        return build_site(self.file, self._resolve, self.path, native=self.native)

    def _resolve(self, name: str) -> DeviceRate | OperatingCurve | MeasuredRamp:
        if name not in self.devices:
            raise InputError(f"{self.path}: expected a stored device, got {name!r}")
        return self.devices[name]


def read_inputs(path: Path, resolve: Resolve, *, native: bool = False) -> list[tuple[Inputs, Site]]:
    """Read the sites of a site or fleet file, look up their devices, and build them.

    Parameters
    ----------
    path
        The file.
    resolve
        Function that returns the DeviceRate of a device's name, or raises InputError with similar names.
    native
        Build each year in steps as long as the shortest interval of its prices, not in hours.

    Raises
    ------
    InputError
        The file, a name or an hourly series in it is invalid; the message has one line for each fault.
    """
    known: dict[str, DeviceRate | OperatingCurve | MeasuredRamp] = {}
    sites = []
    documents = read_documents(path)
    faults = Faults()
    files: list[SiteFile] = []
    with faults.noted():
        files = validated(documents)
    with faults.noted():
        if not files:
            check_devices((document.content for document in documents), resolve, str(path))
    faults.refuse()
    for file in files:
        devices: dict[str, DeviceRate | OperatingCurve | MeasuredRamp] = {}

        def remember(
            name: str, devices: dict[str, DeviceRate | OperatingCurve | MeasuredRamp] = devices
        ) -> DeviceRate | OperatingCurve | MeasuredRamp:
            if name not in known:
                known[name] = resolve(name)
            devices[name] = known[name]
            return known[name]

        with faults.noted():
            site = build_site(file, remember, str(path), native=native)
            sites.append((Inputs(file, str(path), devices, native=native), site))
    faults.refuse()
    return sites


def hourly_files(file: SiteFile, folder: Path) -> list[tuple[tuple[str | int, ...], Path]]:
    """Return the keys and the path of each file that a site file refers to; the last key holds the file's name."""
    files: list[tuple[tuple[str | int, ...], Path]] = []
    market = file.market
    for keys, table in (
        (("price", "hourly"), file.price.hourly),
        (("climate", "hourly"), file.climate.hourly if file.climate else None),
        (("cooling", "mining_pue_hourly"), file.cooling.mining_pue_hourly),
        (("cooling", "gpu_pue_hourly"), file.cooling.gpu_pue_hourly),
        (("market", "btc_usd"), market.btc_usd),
        *((("inference", at, "usd_per_gpu_hour"), block.usd_per_gpu_hour) for at, block in enumerate(file.inference)),
        (("market", "fees_percent_of_subsidy"), market.fees_percent_of_subsidy),
        (("market", "fees_btc_per_block"), market.fees_btc_per_block),
        (("carbon", "mean"), file.carbon.mean if file.carbon else None),
        (("horizon", "energy_price_forward"), file.horizon.energy_price_forward if file.horizon else None),
        (("horizon", "btc_price_forward"), file.horizon.btc_price_forward if file.horizon else None),
        *(
            (("contract", at, key), getattr(contract, key, None))
            for at, contract in enumerate(file.contract)
            for key in ("generated_mwh", "index")
        ),
    ):
        if isinstance(table, SeriesTable):
            files.append(((*keys, "file"), folder / table.file))
    if file.carbon is not None and file.carbon.table is not None:
        files.append((("carbon", "table"), folder / file.carbon.table))
    if file.market.difficulty_file is not None:
        files.append((("market", "difficulty_file"), folder / file.market.difficulty_file))
    return files
