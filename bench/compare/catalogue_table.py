"""The catalogue as rows of plain data: filters, order and columns of `list profiles`, and the data of `show`."""

import math
from collections.abc import Callable, Iterable, Sequence
from itertools import pairwise
from typing import TYPE_CHECKING, Any, NamedTuple

from bench.quantity import HASHES_PER_TH, j_per_th
from hardware_profiles.errors import InputError

if TYPE_CHECKING:
    from hardware_profiles.profile import Device, Figure, Profile

Row = dict[str, Any]
UNVERIFIED_MARK = "?"
_MATRIX_DTYPES = ("bf16", "fp8", "fp4")


def describe(device: "Device") -> Row:
    """Return the content of a profile file as plain data: figures with origin, sources, disagreements."""
    return {
        "name": device.slug,
        "kind": device.kind,
        "maker": device.maker,
        "model": device.model,
        "cooling": device.cooling,
        "released": device.released,
        "figures": {place: _figure(figure) for place, figure in device.every_figure()},
        "computed": {
            profile.name: {
                key: value
                for key in ("j_per_th", "server_w_per_gpu", "rack_w_per_gpu")
                if (value := getattr(profile, key)) is not None
            }
            for profile in device.profiles(modes=True)
        },
        "marginal_j_per_th": marginal_j_per_th(device),
        "features": list(device.features),
        "features_confidence": device.feature_confidence if device.features else None,
        "sources": {source.id: source._asdict() for source in device.sources.values()},
        "disagreements": [entry._asdict() for entry in device.disagreements],
        "notes": list(device.notes),
        "file": str(device.path),
    }


def _figure(figure: "Figure") -> Row:
    return {
        "value": figure.value,
        "unit": figure.unit,
        "basis": figure.basis,
        "confidence": figure.confidence,
        "date": figure.date,
        "tolerance_frac": figure.tolerance_frac,
        "boundary": figure.boundary,
        "sources": list(figure.sources),
        "note": figure.note,
    }


def marginal_j_per_th(device: "Device") -> Row:
    """Return the marginal energy between neighbouring modes of a bin [J/TH], by `bin:from-to`."""
    marginal: Row = {}
    for chosen in device.bins:
        points = sorted(
            (point.figures["wall_power_w"].value, point.figures["hash_rate_th_s"].value, point.name)
            for point in (chosen, *chosen.modes)
        )
        for (power, rate, name), (more, faster, other) in pairwise(points):
            marginal[f"{chosen.name}:{name}-{other}"] = (more - power) / (faster - rate)
    return marginal


def profile_row(profile: "Profile", *, hashprice_usd_per_ph_s_day: float | None = None) -> Row:
    """Return a profile as a row in base units; a missing figure is None, `unverified` lists unverified keys."""
    row: Row = {
        "name": profile.name,
        "title": profile.title,
        "kind": profile.kind,
        "cooling": profile.cooling,
        "released": profile.device.released,
        "rate_hash_s": profile.rate_hash_s,
        "power_w": profile.wall_power_w if profile.kind == "asic" else profile.tdp_w,
        "power_boundary": _boundary(profile),
        "j_per_th": profile.j_per_th,
        "hash_per_j": HASHES_PER_TH / profile.j_per_th if profile.j_per_th else None,
        "usd_per_mwh": None,
        "memory_bytes": profile.memory_bytes,
        "bandwidth_byte_per_s": profile.bandwidth_byte_per_s,
        "peaks_flop_per_s": profile.peaks_flop_per_s,
        "flop_per_j": flop_per_j(profile),
        "server_w_per_gpu": profile.server_w_per_gpu,
        "cores": _value(profile, "cores"),
        "threads": _value(profile, "threads"),
        "base_clock_hz": _value(profile, "base_clock_ghz"),
        "boost_clock_hz": _value(profile, "boost_clock_ghz"),
        "features": list(profile.device.features),
        "basis": profile.basis,
        "confidence": profile.confidence,
        "unverified": [key for key, figure in profile.figures.items() if figure.confidence == "unverified"],
    }
    if hashprice_usd_per_ph_s_day is not None and profile.j_per_th:
        from sites.market.mining import usd_per_device_mwh

        row["usd_per_mwh"] = usd_per_device_mwh(hashprice_usd_per_ph_s_day, profile.j_per_th)
        row["hashprice_usd_per_ph_s_day"] = hashprice_usd_per_ph_s_day
    return row


def flop_per_j(profile: "Profile") -> dict[str, float]:
    """Return dense peak over thermal design power [FLOP/J] by data type: a bound, not a measurement."""
    if profile.tdp_w is None:
        return {}
    return {dtype: peak / profile.tdp_w for dtype, peak in profile.peaks_flop_per_s.items()}


def _boundary(profile: "Profile") -> str | None:
    figure = profile.figure("wall_power_w" if profile.kind == "asic" else "tdp_w")
    return figure.boundary if figure else None


def _value(profile: "Profile", key: str) -> float | None:
    figure = profile.figure(key)
    return None if figure is None else figure.si_value


def released_key(text: str, *, end: bool = False) -> str:
    """Return a partial date as its first or last day, so that it sorts; `unknown` sorts first."""
    if text == "unknown":
        return "0000-00-00"
    if "-Q" in text:
        year, quarter = text.split("-Q")
        text = f"{year}-{3 * int(quarter) - (0 if end else 2):02d}"
    return text + ("-12-31", "-31", "")[text.count("-")] if end else text + ("-01-01", "-01", "")[text.count("-")]


SORTS: dict[str, tuple[Callable[[Row], Any], bool]] = {  # key of a row, and whether large comes first
    "name": (lambda row: row["name"], False),
    "j-per-th": (lambda row: row["j_per_th"], False),
    "rate": (lambda row: row["rate_hash_s"], True),
    "power": (lambda row: row["power_w"], True),
    "released": (lambda row: released_key(row["released"]), True),
    "usd-per-mwh": (lambda row: row["usd_per_mwh"], True),
    "flop-per-j": (lambda row: max((row["flop_per_j"].get(dtype, 0.0) for dtype in _MATRIX_DTYPES), default=0.0), True),
}


class Filters(NamedTuple):
    """The filters and the order of a list; None keeps everything."""

    kind: str | None = None
    cooling: str | None = None
    max_j_per_th: float | None = None
    released_after: str | None = None
    sort: str = "name"


def select(rows: Iterable[Row], filters: Filters) -> list[Row]:
    """Return the rows that pass every filter, sorted; a row without the figure is filtered out, or sorts last.

    Raises
    ------
    InputError
        `released_after` is not a date.
    """
    after = None if filters.released_after is None else _day(filters.released_after)
    limit = filters.max_j_per_th
    kept = [
        row
        for row in rows
        if filters.kind in (None, row["kind"])
        and (filters.cooling is None or filters.cooling in (row["cooling"] or "").split(" or "))
        and (limit is None or (row["j_per_th"] is not None and row["j_per_th"] <= limit))
        and (after is None or released_key(row["released"]) >= after)
    ]
    key, large_first = SORTS[filters.sort]
    known = [row for row in kept if key(row) is not None]
    return [*sorted(known, key=key, reverse=large_first), *(row for row in kept if key(row) is None)]


def _day(text: str) -> str:
    import datetime as dt
    import re

    if re.fullmatch(r"\d{4}(-\d\d){0,2}", text):
        first = released_key(text)
        try:
            dt.date.fromisoformat(first)
        except ValueError:
            pass
        else:
            return first
    raise InputError.at("--released-after", expected="a date YYYY, YYYY-MM or YYYY-MM-DD", got=text)


def columns_for(kind: str, rows: Sequence[Row]) -> list[tuple[str, Callable[[Row], str], bool]]:
    """Return the columns of a kind's table: heading, text of a cell, whether it is right-aligned."""
    name = [("profile", lambda row: row["name"], False)]
    tail = [("released", lambda row: row["released"], False), ("basis", lambda row: row["basis"], False)]
    tail.append(("confidence", lambda row: row["confidence"], False))
    if kind == "asic":
        middle = [
            ("cooling", lambda row: row["cooling"] or "-", False),
            ("TH/s", lambda row: cell(row, "hash_rate_th_s", row["rate_hash_s"], HASHES_PER_TH), True),
            ("W (wall)", lambda row: cell(row, "wall_power_w", row["power_w"]), True),
            ("J/TH", lambda row: j_per_th(row["j_per_th"]), True),
        ]
        if any(row["usd_per_mwh"] is not None for row in rows):
            middle.append(("USD/MWh", lambda row: f"{row['usd_per_mwh']:.2f}", True))
        return [*name, *middle, *tail]
    if kind == "gpu":
        peaks = [(dtype, f"{dtype}_dense_tflop_s") for dtype in _MATRIX_DTYPES]
        middle = [
            ("W (TDP)", lambda row: cell(row, "tdp_w", row["power_w"]), True),
            ("GB", lambda row: cell(row, "memory_gb", row["memory_bytes"], 1e9), True),
            ("TB/s", lambda row: cell(row, "memory_bandwidth_tb_s", row["bandwidth_byte_per_s"], 1e12), True),
            *(
                (
                    f"{dtype} TF/s",
                    lambda row, dtype=dtype, key=key: cell(row, key, row["peaks_flop_per_s"].get(dtype), 1e12),
                    True,
                )
                for dtype, key in peaks
            ),
            (
                "bf16 TF/s/W",
                lambda row: cell(row, "bf16_dense_tflop_s", row["flop_per_j"].get("bf16"), 1e12, digits=3),
                True,
            ),
            ("server W/GPU", lambda row: cell(row, "server_power_w", row["server_w_per_gpu"]), True),
        ]
        return [*name, *middle, *tail[:1], *tail[2:]]
    middle = [
        ("cores", lambda row: cell(row, "cores", row["cores"]), True),
        ("threads", lambda row: cell(row, "threads", row["threads"]), True),
        ("base GHz", lambda row: cell(row, "base_clock_ghz", row["base_clock_hz"], 1e9), True),
        ("boost GHz", lambda row: cell(row, "boost_clock_ghz", row["boost_clock_hz"], 1e9), True),
        ("W (TDP)", lambda row: cell(row, "tdp_w", row["power_w"]), True),
    ]
    return [*name, *middle, *tail]


def cell(row: Row, key: str, value: float | None, scale: float = 1.0, digits: int = 5) -> str:
    """Return a figure in field units, with a mark if it is unverified; a dash if there is none."""
    if value is None or not math.isfinite(value):
        return "-"
    return f"{value / scale:.{digits}g}" + (UNVERIFIED_MARK if key in row["unverified"] else "")
