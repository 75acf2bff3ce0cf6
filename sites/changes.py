"""What changed since a stored run, and which input did it."""

from __future__ import annotations

import csv
import hashlib
import json
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hardware_profiles.errors import InputError
from hardware_profiles.reading import validate
from sites.dispatch.year import site_year, summarise
from sites.file.site_file import SiteFile
from sites.planners.inputs import hourly_files, load_inputs

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from sites.planners.inputs import Inputs

    Path_ = tuple[str | int, ...]
    Figures = tuple[float, float, float]

PROGRAM = "program or bundled data"
_MISSING: Any = object()


@dataclass(frozen=True, slots=True)
class Change:
    """One input that changed, and what that did to the site's year.

    key: in the site file, or `device NAME`. before, after: as given. net_usd, btc_per_day, tokens_per_day: the year's
    difference when this input changes after all those above it; the differences of a site add up to its whole.
    """

    site: str
    key: str
    before: str
    after: str
    net_usd: float
    btc_per_day: float
    tokens_per_day: float


@dataclass(frozen=True, slots=True)
class Since:
    """Changes of every site since a run, and sites that only one of the two has."""

    run: str
    changes: tuple[Change, ...]
    added: tuple[str, ...]
    removed: tuple[str, ...]


def since(run: Path, now: Sequence[Inputs]) -> Since:
    """Compare sites with those of a stored run, one changed input after the other.

    Raises InputError for a folder that is no run of ours.
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
    return Since(
        str(run),
        tuple(changes),
        tuple(name for name in after if name not in before),
        tuple(name for name in before if name not in after),
    )


def _stored_net(run: Path) -> dict[str, float]:
    path = run / "tables" / "site.csv"
    try:
        with path.open(encoding="utf-8", newline="") as file:
            return {row["site"]: float(row["net_usd"]) for row in csv.DictReader(file)}
    except (OSError, KeyError, ValueError, TypeError) as error:
        raise InputError(f"{path}: expected the run's table of sites, got {error}") from None


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
            before_text, after_text = (
                f"{rate.rate_per_s:g}/s, {rate.power_w or 0:g} W" for rate in (old.devices[device], new.devices[device])
            )
            yield _change(name, f"device {device}", (before_text, after_text), at, after)
            at = after
    document, pending, names = _document(now), [], {**_names(old), **_names(new)}
    refused: InputError | None = None
    for keys, before, after_value in _differences(document, _document(new)):
        pending.append((_named(document, keys), before, after_value))
        document = _put(document, keys, after_value)
        try:
            now = replace(now, file=validate(SiteFile, _clean(document), new.place), place=new.place)
            after = _figures(now)
        except InputError as error:
            refused = error
            continue  # inputs that only make sense together are counted together
        texts = [_texts(was, then, names) for _, was, then in pending]
        given = "; ".join(was for was, _ in texts), "; ".join(then for _, then in texts)
        yield _change(name, " and ".join(key for key, _, _ in pending), given, at, after)
        at, pending, refused = after, [], None
    if refused:
        raise refused


def _figures(inputs: Inputs) -> Figures:
    found = summarise(site_year(inputs.site()))
    return found.net_usd, found.btc_per_day, found.tokens_per_day


def _change(site: str, key: str, given: tuple[str, str], at: Figures, then: Figures) -> Change:
    deltas = [b - a if abs(b - a) > 1e-12 * abs(a) else 0.0 for a, b in zip(at, then, strict=True)]
    return Change(site, key, *given, *deltas)


def _document(inputs: Inputs) -> dict[str, Any]:
    """Site file as plain values, its hourly files as absolute paths which are compared by content."""
    document: dict[str, Any] = json.loads(inputs.file.model_dump_json())
    for keys, path in hourly_files(inputs.file, Path(inputs.place).parent):
        inner: Any = document
        for key in keys:
            inner = inner[key]
        inner["table" if "table" in inner else "file"] = str(path.resolve())
    for block in (*document["mining"], *document["inference"]):
        block.pop("note", None)
    return document


def _names(inputs: Inputs) -> dict[str, str]:
    """Return what the user calls the hourly files, by absolute path."""
    paths = [path for _, path in hourly_files(inputs.file, Path(inputs.place).parent)]
    return {str(path.resolve()): inputs.names.get(path.name, path.name) for path in paths}


def _differences(old: Any, new: Any, keys: Path_ = ()) -> Iterator[tuple[Path_, Any, Any]]:
    if isinstance(old, dict) and isinstance(new, dict):
        if keys and "value" in old and "value" in new:
            if old["value"] != new["value"]:
                yield keys, old, new
            return
        if "file" in old and "file" in new:
            if old["column"] != new["column"] or _content(old["file"]) != _content(new["file"]):
                yield keys, old, new
            return
        for key in {**old, **new}:
            yield from _differences(old.get(key, _MISSING), new.get(key, _MISSING), (*keys, key))
        return
    if isinstance(old, list) and isinstance(new, list) and len(old) == len(new):
        for index, (before, after) in enumerate(zip(old, new, strict=True)):
            yield from _differences(before, after, (*keys, index))
        return
    same = keys[-1] == "table" and isinstance(old, str) and isinstance(new, str) and _content(old) == _content(new)
    if old != new and not same and keys[-1] not in {"note", "source", "date"}:
        yield keys, old, new


def _content(path: str) -> bytes:
    try:
        return Path(path).read_bytes()
    except OSError as error:
        raise InputError(f"{path}: expected a readable hourly series, got {error.strerror or error}") from None


def _put(document: Any, keys: Path_, value: Any) -> Any:
    if not keys:
        return value
    if isinstance(document, list):
        return [_put(item, keys[1:], value) if index == keys[0] else item for index, item in enumerate(document)]
    copy = dict(document) if isinstance(document, dict) else {}
    copy[keys[0]] = _put(copy.get(keys[0]), keys[1:], value)
    return copy


def _clean(document: Any) -> Any:
    """Drop keys that are absent on one side (None stands for a key that was not given)."""
    if isinstance(document, dict):
        return {key: _clean(value) for key, value in document.items() if value is not _MISSING and value is not None}
    if isinstance(document, list):
        return [_clean(item) for item in document]
    return document


def _named(document: Any, keys: Path_) -> str:
    """Path as the list of assumptions writes it: a block by its name."""
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
    """Both values as text; of two files of unequal content, with a hash of each."""
    texts = _text(before, names), _text(after, names)
    files = [value["file"] if isinstance(value, dict) and "file" in value else value for value in (before, after)]
    if not all(isinstance(file, str) and file in names for file in files):
        return texts
    old, new = (hashlib.sha256(_content(file)).hexdigest()[:8] for file in files)
    return texts if old == new else (f"{texts[0]} (sha256 {old})", f"{texts[1]}, content changed (sha256 {new})")


def _text(value: Any, names: dict[str, str]) -> str:
    if value is _MISSING or value is None:
        return "nothing"
    if isinstance(value, dict) and "value" in value:
        return f"{value['value']:g}"
    if isinstance(value, dict) and "file" in value:
        return f"{names[value['file']]}, column {value['column']}"
    if isinstance(value, str) and value in names:
        return names[value]
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= 60 else f"{text[:57]}..."
