"""The comparison of sites with a stored run: the changed inputs, and the effect of each on the year."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hardware_profiles.errors import InputError
from hardware_profiles.opening import PARQUET, read_input
from hardware_profiles.reading import validate
from sites.dispatch.year import site_year, summarise
from sites.feeds.files.source import NAMED_FEED
from sites.feeds.sidecar import sha256_of
from sites.file.inputs import hourly_files
from sites.file.site_file import SiteFile
from sites.market.device_rate import DeviceRate
from sites.parquet import read_table
from sites.planners.stored_inputs import load_inputs
from sites.storage.ramps import MeasuredRamp

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from sites.file.inputs import Inputs
    from sites.operating_points import OperatingCurve

    Keys = tuple[str | int, ...]
    Figures = tuple[float, float, float]

PROGRAM = "program or bundled data"
_MISSING: Any = object()


@dataclass(frozen=True, slots=True)
class Change:
    """A changed input and its effect on the site's year.

    The effect is that of changing this input after all inputs listed before it, so that the effects of a site add up.
    """

    site: str
    key: str  # in the site file, or `device NAME`
    before: str
    after: str
    net_usd: float
    btc_per_day: float
    tokens_per_day: float


@dataclass(frozen=True, slots=True)
class Changes:
    """The changes of all sites since a run."""

    run: str  # folder
    changes: tuple[Change, ...]
    added: tuple[str, ...]  # sites that are not in the run
    removed: tuple[str, ...]  # sites that are only in the run


def changes_since(run: Path, now: Sequence[Inputs]) -> Changes:
    """Compare sites with those of a stored run, one changed input after the other.

    Parameters
    ----------
    run
        Folder of the run, as `write_package` writes it.
    now
        Inputs of the sites.

    Raises
    ------
    InputError
        The folder is not that of a run, or an hourly file cannot be read.
    """
    before = {inputs.file.site.name: inputs for inputs in load_inputs(run)}
    after = {inputs.file.site.name: inputs for inputs in now}
    stored = _stored_net(run)
    changes = [
        change
        for name in after
        if name in before
        for change in _site_changes(before[name], after[name], stored.get(name))
    ]
    return Changes(
        str(run),
        tuple(changes),
        tuple(name for name in after if name not in before),
        tuple(name for name in before if name not in after),
    )


def _stored_net(run: Path) -> dict[str, float]:
    path = run / "tables" / "site.parquet"
    kind = "the run's table of sites"
    table = read_table(read_input(path, PARQUET), path, ["site", "net_usd"], kind)
    try:
        return {str(row["site"]): float(row["net_usd"]) for row in table.to_pylist()}
    except (KeyError, TypeError, ValueError, OverflowError) as error:
        raise InputError(f"{path}: expected {kind}, got {error}") from None


def _device_text(device: DeviceRate | OperatingCurve | MeasuredRamp) -> str:
    if isinstance(device, MeasuredRamp):
        return f"{device.lost_output_s:g} s of output, {device.down_s:g} s off"
    if isinstance(device, DeviceRate):
        return f"{device.rate_per_s:g}/s, {device.power_w or 0:g} W"
    return "; ".join(f"{point.load}: {_device_text(point.rate)}" for point in device.points)


def _site_changes(old: Inputs, new: Inputs, stored_net: float | None) -> Iterator[Change]:
    name = new.file.site.name
    at = _figures(old)
    if stored_net is not None and abs(at[0] - stored_net) > 1e-9 * max(1.0, abs(stored_net)):
        yield Change(name, PROGRAM, "as stored", "as now", at[0] - stored_net, 0.0, 0.0)
    now = replace(old, devices={**new.devices, **old.devices})
    for device in sorted(new.devices.keys() & old.devices.keys()):
        if new.devices[device] != old.devices[device]:
            now = replace(now, devices={**now.devices, device: new.devices[device]})
            after = _figures(now)
            pair = _device_text(old.devices[device]), _device_text(new.devices[device])
            yield _change(name, f"device {device}", pair, at, after)
            at = after
    document, pending, names = _document(now), [], {**_names(old), **_names(new)}
    refused: InputError | None = None
    for keys, before, after_value in _differences(document, _document(new)):
        pending.append((_named(document, keys), before, after_value))
        document = _put(document, keys, after_value)
        try:
            now = replace(now, file=validate(SiteFile, _clean(document), new.path), path=new.path)
            after = _figures(now)
        except InputError as error:
            refused = error
            continue  # keys that are valid only together are counted together
        texts = [_texts(was, then, names) for _, was, then in pending]
        joined = "; ".join(was for was, _ in texts), "; ".join(then for _, then in texts)
        yield _change(name, " and ".join(key for key, _, _ in pending), joined, at, after)
        at, pending, refused = after, [], None
    if refused:
        raise refused


def _figures(inputs: Inputs) -> Figures:
    summary = summarise(site_year(inputs.site()))
    return summary.net_usd, summary.btc_per_day, summary.tokens_per_day


def _change(site: str, key: str, texts: tuple[str, str], before: Figures, after: Figures) -> Change:
    deltas = [b - a if abs(b - a) > 1e-12 * abs(a) else 0.0 for a, b in zip(before, after, strict=True)]
    return Change(site, key, *texts, *deltas)


def _document(inputs: Inputs) -> dict[str, Any]:
    """Return a site file as plain values, with absolute paths of hourly files, which are compared by content."""
    document: dict[str, Any] = json.loads(inputs.file.model_dump_json())
    for keys, path in hourly_files(inputs.file, Path(inputs.path).parent):
        inner: Any = document
        for key in keys[:-1]:
            inner = inner[key]
        inner[keys[-1]] = str(path.resolve())
    for block in (*document["mining"], *document["inference"]):
        block.pop("note", None)
    return document


def _names(inputs: Inputs) -> dict[str, str]:
    """Return the user's names of the hourly files, by absolute path."""
    paths = [path for _, path in hourly_files(inputs.file, Path(inputs.path).parent)]
    return {str(path.resolve()): inputs.names.get(path.name, path.name) for path in paths}


def _differences(old: Any, new: Any, keys: Keys = ()) -> Iterator[tuple[Keys, Any, Any]]:
    if isinstance(old, dict) and isinstance(new, dict):
        if "file" in old and "file" in new:
            if _how(old) != _how(new) or _sha256(old["file"]) != _sha256(new["file"]):
                yield keys, old, new
            return
        if keys and "value" in old and "value" in new:
            if old["value"] != new["value"]:
                yield keys, old, new
            return
        for key in {**old, **new}:
            yield from _differences(old.get(key, _MISSING), new.get(key, _MISSING), (*keys, key))
        return
    if isinstance(old, list) and isinstance(new, list) and len(old) == len(new):
        for index, (before, after) in enumerate(zip(old, new, strict=True)):
            yield from _differences(before, after, (*keys, index))
        return
    same = keys[-1] == "table" and isinstance(old, str) and isinstance(new, str) and _sha256(old) == _sha256(new)
    if old != new and not same and keys[-1] not in {"note", "source", "date"}:
        yield keys, old, new


def _sha256(path: str) -> str:
    return sha256_of(Path(path), NAMED_FEED)


def _how(series: dict[str, Any]) -> dict[str, Any]:
    """Return how the file of a series is read: its keys without the file and what is only said of it."""
    return {key: value for key, value in series.items() if key not in {"file", "source", "date"}}


def _put(document: Any, keys: Keys, value: Any) -> Any:
    if not keys:
        return value
    if isinstance(document, list):
        return [_put(item, keys[1:], value) if index == keys[0] else item for index, item in enumerate(document)]
    copy = dict(document) if isinstance(document, dict) else {}
    copy[keys[0]] = _put(copy.get(keys[0]), keys[1:], value)
    return copy


def _clean(document: Any) -> Any:
    """Return a document without absent keys (None means that the file does not have the key)."""
    if isinstance(document, dict):
        return {key: _clean(value) for key, value in document.items() if value is not _MISSING and value is not None}
    if isinstance(document, list):
        return [_clean(item) for item in document]
    return document


def _named(document: Any, keys: Keys) -> str:
    """Return a path of keys as in the list of assumptions, with blocks by name."""
    text, inner = "", document
    for key in keys:
        if isinstance(inner, list) and isinstance(key, int):
            inner = inner[key]
        else:
            inner = inner.get(key, {}) if isinstance(inner, dict) else {}
        if isinstance(key, int):
            text += f"[{inner.get('name', key) if isinstance(inner, dict) else key}]"
        else:
            text += f".{key}" if text else key
    return text


def _texts(before: Any, after: Any, names: dict[str, str]) -> tuple[str, str]:
    """Return both values as text; two files of different content get a hash each."""
    texts = _text(before, names), _text(after, names)
    files = [value["file"] if isinstance(value, dict) and "file" in value else value for value in (before, after)]
    if not all(isinstance(file, str) and file in names for file in files):
        return texts
    old, new = (_sha256(file)[:8] for file in files)
    return texts if old == new else (f"{texts[0]} (sha256 {old})", f"{texts[1]}, content changed (sha256 {new})")


def _text(value: Any, names: dict[str, str]) -> str:
    if value is _MISSING or value is None:
        return "nothing"
    if isinstance(value, dict) and "file" in value:
        return _series_text(value, names)
    if isinstance(value, dict) and "value" in value:
        return f"{value['value']:g}"
    if isinstance(value, str) and value in names:
        return names[value]
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= 60 else f"{text[:57]}..."


def _series_text(series: dict[str, Any], names: dict[str, str]) -> str:
    what = f"feed {series['feed']}" if series.get("feed") else f"column {series.get('column') or series.get('value')}"
    keys = ("point", "zone", "basis", "scope")
    chosen = {key: series.get(key) for key in keys} | (series.get("where") or {})
    told = "".join(f", {key} {name}" for key, name in chosen.items() if name)
    return f"{names[series['file']]}, {what}{told}"
