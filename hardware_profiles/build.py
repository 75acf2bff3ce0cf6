"""The conversion of a profile file, which the schema has accepted, to a device."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from hardware_profiles.keys import key_for
from hardware_profiles.profile import Device, Disagreement, Figure, Kind, Point, Source


def device_from(data: Mapping[str, Any], path: Path) -> Device:
    """Return the device in the content of a file, named after its path."""
    kind: Kind = data["kind"]
    figures: dict[str, Figure] = {}
    for section in ("environment", "figures", "peaks", "sparse_peaks"):
        figures.update(_figures(kind, data.get(section, {})))
    features = data.get("features", {})
    return Device(
        slug=path.stem,
        kind=kind,
        maker=data["maker"],
        model=data["model"],
        released=data["released"],
        cooling=data.get("cooling"),
        figures=figures,
        bins=tuple(_point(kind, entry) for entry in data.get("bins", ())),
        features=tuple(features.get("values", ())),
        feature_sources=tuple(features.get("sources", ())),
        feature_confidence=features.get("confidence", "unverified"),
        reported_names=tuple(data.get("reported_names", ())),
        sources={
            key: Source(
                key,
                entry["title"],
                entry["kind"],
                entry["address"],
                entry["read"],
                tuple(entry["printed"]),
                entry.get("cites"),
            )
            for key, entry in data.get("sources", {}).items()
        },
        disagreements=tuple(
            Disagreement(entry["figure"], float(entry["value"]), entry["source"], entry.get("note", ""))
            for entry in data.get("disagreements", ())
        ),
        notes=tuple(data.get("notes", ())),
        path=path,
    )


def _point(kind: Kind, data: Mapping[str, Any]) -> Point:
    return Point(
        name=data["name"],
        figures=_figures(kind, {key: value for key, value in data.items() if isinstance(value, dict)}),
        modes=tuple(_point(kind, entry) for entry in data.get("modes", ())),
        cooling=data.get("cooling"),
        note=data.get("note", ""),
    )


def _figures(kind: Kind, table: Mapping[str, Any]) -> dict[str, Figure]:
    figures = {}
    for key, entry in table.items():
        known = key_for(kind, key)
        tolerance = entry["tolerance_pct"]
        value = float(entry["value"])
        figures[key] = Figure(
            key,
            value,
            known.unit,
            value * known.si,
            entry["basis"],
            entry["confidence"],
            entry["date"],
            None if tolerance == "unknown" else tolerance / 100,
            tuple(entry["sources"]),
            known.boundary,
            entry.get("note", ""),
        )
    return figures
