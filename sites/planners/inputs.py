"""The inputs of a run, which are stored with its tables and read back for comparisons."""

from __future__ import annotations

import hashlib
import json
import shutil
from dataclasses import asdict, dataclass, field
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hardware_profiles.errors import InputError
from hardware_profiles.reading import validate
from sites.file.build import build_site
from sites.file.fleet_file import read_site_files
from sites.file.site_file import HourlyTable, SiteFile
from sites.market.bitcoin import EPOCHS_FILE
from sites.market.device_rate import DeviceRate, TokenTags

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from sites.model import Site


@dataclass(frozen=True, slots=True)
class Inputs:
    """The inputs of one site."""

    file: SiteFile
    path: str  # of the file; paths of hourly files are relative to its folder
    devices: dict[str, DeviceRate]  # by the names in the file
    names: dict[str, str] = field(default_factory=dict)  # original names of stored copies of hourly files

    def site(self) -> Site:
        """Build the site from these inputs alone."""
        return build_site(self.file, self._resolve, self.path)

    def _resolve(self, name: str) -> DeviceRate:
        if name not in self.devices:
            raise InputError(f"{self.path}: expected a stored device, got {name!r}")
        return self.devices[name]


def read_inputs(path: Path, resolve: Callable[[str], DeviceRate]) -> list[tuple[Inputs, Site]]:
    """Read the sites of a site or fleet file, look up their devices, and build them."""
    known: dict[str, DeviceRate] = {}
    sites = []
    for file in read_site_files(path):
        devices: dict[str, DeviceRate] = {}

        def remember(name: str, devices: dict[str, DeviceRate] = devices) -> DeviceRate:
            if name not in known:
                known[name] = resolve(name)
            devices[name] = known[name]
            return known[name]

        site = build_site(file, remember, str(path))
        sites.append((Inputs(file, str(path), devices), site))
    return sites


def store_inputs(sites: Iterable[Inputs], folder: Path) -> None:
    """Write inputs to a folder, with a numbered folder for each site and its hourly files."""
    for number, inputs in enumerate(sites):
        target = folder / f"{number:03d}"
        target.mkdir(parents=True)
        document = inputs.file.model_dump(mode="json", exclude_unset=True)
        names = {}
        for keys, source in hourly_files(inputs.file, Path(inputs.path).parent):
            copy = target / f"{'-'.join(keys)}{source.suffix}"
            shutil.copyfile(source, copy)
            names[copy.name] = source.name
            inner: Any = document
            for key in keys:
                inner = inner[key]
            inner["table" if "table" in inner else "file"] = copy.name
        stored = {
            "place": inputs.path,
            "site": document,
            "devices": {name: asdict(rate) for name, rate in inputs.devices.items()},
            "names": names,
        }
        text = json.dumps(stored, indent=1, ensure_ascii=False)
        (target / "inputs.json").write_text(text, encoding="utf-8")


def load_inputs(folder: Path) -> list[Inputs]:
    """Read stored inputs; raise InputError if the folder is not that of a run, or is damaged."""
    sites = []
    paths = sorted((folder / "inputs").glob("*/inputs.json"))
    if not paths:
        raise InputError(f"{folder}: expected a folder written by perwatt yield --out, got one without inputs")
    for path in paths:
        try:
            stored = json.loads(path.read_text(encoding="utf-8"))
            devices = {name: _rate(rate) for name, rate in stored["devices"].items()}
            document, names = stored["site"], dict(stored.get("names", {}))
        except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
            raise InputError(f"{path}: expected stored inputs, got {type(error).__name__}: {error}") from None
        sites.append(Inputs(validate(SiteFile, document, path), str(path), devices, names))
    return sites


def _rate(stored: dict[str, Any]) -> DeviceRate:
    tags = stored.get("tags")
    pairs = {
        key: tuple(stored[key]) if stored.get(key) is not None else None
        for key in ("rate_interval_per_s", "power_interval_w")
    }
    return DeviceRate(**{**stored, **pairs, "tags": TokenTags(**tags) if tags else None})


def hourly_files(file: SiteFile, folder: Path) -> list[tuple[tuple[str, ...], Path]]:
    """Return the keys and the path of each file that a site file refers to."""
    files: list[tuple[tuple[str, ...], Path]] = []
    for keys, table in (
        (("price", "hourly"), file.price.hourly),
        (("climate", "hourly"), file.climate.hourly if file.climate else None),
        (("cooling", "mining_pue_hourly"), file.cooling.mining_pue_hourly),
        (("cooling", "gpu_pue_hourly"), file.cooling.gpu_pue_hourly),
    ):
        if isinstance(table, HourlyTable):
            files.append((keys, folder / table.file))
    if file.carbon is not None and file.carbon.table is not None:
        files.append((("carbon",), folder / file.carbon.table))
    return files


def difficulty_sha256() -> str:
    """Return the hash of the bundled difficulty data."""
    return hashlib.sha256(resources.files("sites.data").joinpath(EPOCHS_FILE).read_bytes()).hexdigest()


def inputs_sha256(folder: Path) -> str:
    """Return the hash of all stored inputs of a run, including file names."""
    digest = hashlib.sha256()
    for path in sorted(folder.rglob("*")):
        if path.is_file():
            digest.update(str(path.relative_to(folder)).encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()
