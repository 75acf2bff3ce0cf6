"""What a run was computed from, stored beside its tables, and read back to be compared."""

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
    """One site's inputs: its file, the folder its paths start from, and the devices it names.

    names: of stored copies, what the hourly files were called.
    """

    file: SiteFile
    place: str
    devices: dict[str, DeviceRate]
    names: dict[str, str] = field(default_factory=dict)

    def site(self) -> Site:
        """Build the site from these inputs alone."""
        return build_site(self.file, self._resolve, self.place)

    def _resolve(self, name: str) -> DeviceRate:
        if name not in self.devices:
            raise InputError(f"{self.place}: expected a stored device, got {name!r}")
        return self.devices[name]


def read_inputs(path: Path, resolve: Callable[[str], DeviceRate]) -> list[tuple[Inputs, Site]]:
    """Read a site file, or every site of a fleet file, look up every device named, and build the sites."""
    known: dict[str, DeviceRate] = {}
    found = []
    for file in read_site_files(path):
        devices: dict[str, DeviceRate] = {}

        def remember(name: str, devices: dict[str, DeviceRate] = devices) -> DeviceRate:
            if name not in known:
                known[name] = resolve(name)
            devices[name] = known[name]
            return known[name]

        site = build_site(file, remember, str(path))
        found.append((Inputs(file, str(path), devices), site))
    return found


def store_inputs(given: Iterable[Inputs], folder: Path) -> None:
    """Write inputs below a folder: one numbered folder a site, its hourly files copied beside it."""
    for number, inputs in enumerate(given):
        target = folder / f"{number:03d}"
        target.mkdir(parents=True)
        document = inputs.file.model_dump(mode="json", exclude_unset=True)
        names = {}
        for keys, source in hourly_files(inputs.file, Path(inputs.place).parent):
            copy = target / f"{'-'.join(keys)}{source.suffix}"
            shutil.copyfile(source, copy)
            names[copy.name] = source.name
            inner: Any = document
            for key in keys:
                inner = inner[key]
            inner["table" if "table" in inner else "file"] = copy.name
        stored = {
            "place": inputs.place,
            "site": document,
            "devices": {name: asdict(rate) for name, rate in inputs.devices.items()},
            "names": names,
        }
        text = json.dumps(stored, indent=1, ensure_ascii=False)
        (target / "inputs.json").write_text(text, encoding="utf-8")


def load_inputs(folder: Path) -> list[Inputs]:
    """Read stored inputs back. Raises InputError for a folder that is no run of ours, or a damaged one."""
    found = []
    paths = sorted((folder / "inputs").glob("*/inputs.json"))
    if not paths:
        raise InputError(f"{folder}: expected a folder written by perwatt yield --out, got one without inputs")
    for path in paths:
        try:
            stored = json.loads(path.read_text(encoding="utf-8"))
            devices = {name: _rate(given) for name, given in stored["devices"].items()}
            document, names = stored["site"], dict(stored.get("names", {}))
        except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
            raise InputError(f"{path}: expected stored inputs, got {type(error).__name__}: {error}") from None
        found.append(Inputs(validate(SiteFile, document, path), str(path), devices, names))
    return found


def _rate(given: dict[str, Any]) -> DeviceRate:
    tags = given.get("tags")
    pairs = {
        key: tuple(given[key]) if given.get(key) is not None else None
        for key in ("rate_interval_per_s", "power_interval_w")
    }
    return DeviceRate(**{**given, **pairs, "tags": TokenTags(**tags) if tags else None})


def hourly_files(file: SiteFile, folder: Path) -> list[tuple[tuple[str, ...], Path]]:
    """Files that a site file refers to: the keys that lead to the reference, and the path."""
    found: list[tuple[tuple[str, ...], Path]] = []
    for keys, table in (
        (("price", "hourly"), file.price.hourly),
        (("climate", "hourly"), file.climate.hourly if file.climate else None),
        (("cooling", "mining_pue_hourly"), file.cooling.mining_pue_hourly),
        (("cooling", "gpu_pue_hourly"), file.cooling.gpu_pue_hourly),
    ):
        if isinstance(table, HourlyTable):
            found.append((keys, folder / table.file))
    if file.carbon is not None and file.carbon.table is not None:
        found.append((("carbon",), folder / file.carbon.table))
    return found


def difficulty_sha256() -> str:
    """Hash of the bundled difficulty data."""
    return hashlib.sha256(resources.files("sites.data").joinpath(EPOCHS_FILE).read_bytes()).hexdigest()


def inputs_sha256(folder: Path) -> str:
    """Hash of everything stored below a run's inputs, names included."""
    digest = hashlib.sha256()
    for path in sorted(folder.rglob("*")):
        if path.is_file():
            digest.update(str(path.relative_to(folder)).encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()
