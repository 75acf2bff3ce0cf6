"""The copies of a run's inputs that are stored with its tables and read back for comparisons."""

from __future__ import annotations

import hashlib
import json
import shutil
from dataclasses import asdict
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hardware_profiles.decoding import parse_json
from hardware_profiles.errors import InputError
from hardware_profiles.opening import JSON, is_file, read_input
from hardware_profiles.reading import validate
from sites.file.inputs import Inputs, hourly_files
from sites.file.site_file import SiteFile
from sites.market.bitcoin import EPOCHS_FILE
from sites.market.device_rate import DeviceRate, TokenTags
from sites.market.unit_spread import UnitSpread
from sites.operating_points import OperatingCurve, OperatingPoint
from sites.storage.ramps import RAMP_PREFIX, MeasuredRamp

if TYPE_CHECKING:
    from collections.abc import Iterable


def store_inputs(sites: Iterable[Inputs], folder: Path) -> None:
    """Write inputs to a folder, with a numbered folder for each site and its hourly files."""
    for number, inputs in enumerate(sites):
        target = folder / f"{number:03d}"
        target.mkdir(parents=True)
        document = inputs.file.model_dump(mode="json", exclude_unset=True)
        names = {}
        for keys, source in hourly_files(inputs.file, Path(inputs.path).parent):
            copy = target / f"{'-'.join(map(str, keys[:-1]))}{source.suffix}"
            shutil.copyfile(source, copy)
            names[copy.name] = source.name
            inner: Any = document
            for key in keys[:-1]:
                inner = inner[key]
            inner[keys[-1]] = copy.name
        stored = {
            "place": inputs.path,
            "site": document,
            "devices": {name: asdict(device) for name, device in inputs.devices.items()},
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
        stored = parse_json(read_input(path, JSON), path, "stored inputs")
        try:
            devices = {name: _device(device) for name, device in stored["devices"].items()}
            document, names = stored["site"], dict(stored.get("names", {}))
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise InputError(f"{path}: expected stored inputs, got {type(error).__name__}: {error}") from None
        sites.append(Inputs(validate(SiteFile, document, path), str(path), devices, names))
    return sites


def _device(stored: dict[str, Any]) -> DeviceRate | OperatingCurve | MeasuredRamp:
    if stored.get("name", "").startswith(RAMP_PREFIX):
        return MeasuredRamp(**stored)
    if "points" not in stored:
        return _rate(stored)
    points = tuple(
        OperatingPoint(
            point["load"],
            _rate(point["rate"]),
            dict(point["latency_s"]),
            tuple(interval) if (interval := point["energy_interval_j_per_token"]) is not None else None,
        )
        for point in stored["points"]
    )
    return OperatingCurve(stored["name"], points, tuple(stored["invalid"]), tuple(stored["doubts"]))


def _rate(stored: dict[str, Any]) -> DeviceRate:
    tags = stored.get("tags")
    pairs = {
        key: tuple(stored[key]) if stored.get(key) is not None else None
        for key in ("rate_interval_per_s", "power_interval_w")
    }
    codes, spread = tuple(stored.get("codes", ())), stored.get("spread")
    parts = {
        "tags": TokenTags(**tags) if tags else None,
        "codes": codes,
        "spread": UnitSpread.from_document(spread) if spread else None,
    }
    return DeviceRate(**{**stored, **pairs, **parts})


def difficulty_sha256() -> str:
    """Return the hash of the bundled difficulty data."""
    return hashlib.sha256(resources.files("sites.data").joinpath(EPOCHS_FILE).read_bytes()).hexdigest()


def inputs_sha256(folder: Path) -> str:
    """Return the hash of all stored inputs of a run, including file names."""
    digest = hashlib.sha256()
    for path in sorted(folder.rglob("*")):
        if is_file(path):
            digest.update(str(path.relative_to(folder)).encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()
