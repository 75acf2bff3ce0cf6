"""What a GPU rents for: two tables and the daily snapshots of three public indices.

The order of the columns is not verified against files that were downloaded, only their names against descriptions of
the data sets. Columns are bound by name, so their order does not matter.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from sites.feeds.cells import cell_text, number
from sites.feeds.model import CellError, Column, Document, Entry, Heading, Layout
from sites.feeds.wall_time import DAY_S, WallClock

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sites.feeds.rows import Rows
    from sites.feeds.selection import Selection

_UNIT = "USD/GPU-hour"
_WEEK_S = 7 * DAY_S
_VINTAGES = {"provisional": 0, "final": 1}
_DATE = "%Y-%m-%d"


def _index(rows: Rows, selection: Selection) -> Iterator[Entry]:
    selection.takes()
    clock = WallClock("UTC", _DATE)
    week, rent, vintage = (rows.at(key) for key in ("week", "rent", "vintage"))
    for cells in rows:
        version = _VINTAGES.get(cells[vintage].strip())
        if version is None:
            raise CellError("vintage", expected=" or ".join(_VINTAGES), got=cells[vintage])
        start_s = clock.day(cells[week], "week_start") * DAY_S
        yield Entry(start_s, start_s + _WEEK_S, number(cells[rent], rows.name("rent")), version)


def _offers(rows: Rows, selection: Selection) -> Iterator[Entry]:
    clock = WallClock("UTC", _DATE)
    date, provider, gpu, memory, variant, rent = (
        rows.at(key) for key in ("date", "provider", "gpu", "memory", "variant", "rent")
    )
    for cells in rows:
        if selection.takes(cells[provider], cells[gpu], cells[variant], cells[memory]):
            start_s = clock.day(cells[date], "date") * DAY_S
            yield Entry(start_s, start_s + DAY_S, number(cells[rent], rows.name("rent")))


def _snapshots(document: Any, selection: Selection) -> Iterator[Entry]:
    clock = WallClock("UTC", _DATE)
    for snapshot in _list(document):
        start_s = clock.day(_text(snapshot, "date", "date"), "date") * DAY_S
        stale = _stale(snapshot.get("providers", {}))
        for at, offer in enumerate(snapshot["offers"]):
            where = f"offers[{at}]"
            provider, gpu, kind = (_text(offer, key, f"{where}.{key}") for key in ("provider", "gpu", "kind"))
            if selection.takes(provider, gpu, kind, str(offer.get("vram_gb", ""))):
                rent = number("" if provider in stale else cell_text(offer.get("usd_hr")), f"{where}.usd_hr")
                yield Entry(start_s, start_s + DAY_S, rent)


def _stale(providers: Any) -> frozenset[str]:
    """Return the providers whose offers are repeated from an earlier day: their rents count as missing."""
    if not isinstance(providers, dict):
        raise CellError("providers", expected="an object", got=providers)
    return frozenset(
        name
        for name, state in providers.items()
        if not isinstance(state, dict) or state.get("stale") or not state.get("ok", True)
    )


def _text(holder: Any, key: str, where: str) -> str:
    value = holder.get(key) if isinstance(holder, dict) else None
    if not isinstance(value, str):
        raise CellError(where, expected="text", got=value)
    return value


def _list(document: Any) -> list[Any]:
    return document if isinstance(document, list) else [document]


def _are_snapshots(document: Any) -> bool:
    snapshots = _list(document)
    return bool(snapshots) and all(
        isinstance(snapshot, dict) and "date" in snapshot and isinstance(snapshot.get("offers"), list)
        for snapshot in snapshots
    )


def _layout(name: str, title: str, choices: tuple[str, ...] = (), **rest: Any) -> Layout:
    return Layout(
        name=name,
        title=title,
        quantity="rent",
        unit=_UNIT,
        timezone="UTC",
        label="start",
        repeated_hour="no repeated hour: UTC",
        choices=choices,
        **rest,
    )


LAYOUTS = (
    _layout(
        "gpueconomy",
        "gpueconomy weekly index of cloud GPU prices",
        headings=(
            Heading(
                (
                    Column("week", ("week_start",)),
                    Column("rent", ("usd_per_gpu_hour",)),
                    Column("vintage", ("vintage",)),
                    Column(
                        "others",
                        pattern=re.compile(
                            "quotes|providers|index_base100|methodology_version|"
                            "(hyperscaler|specialist)_(usd_per_gpu_hour|providers)|p[0-9]+_usd_per_gpu_hour"
                        ),
                        needed=False,
                    ),
                )
            ),
        ),
        read=_index,
    ),
    _layout(
        "privum",
        "privum daily offers of GPUs",
        choices=("provider", "gpu", "variant", "vram_gb"),
        headings=(
            Heading(
                (
                    Column("date", ("date",)),
                    Column("provider", ("provider",)),
                    Column("gpu", ("gpu_model",)),
                    Column("key", ("gpu_model_key",), needed=False),
                    Column("memory", ("vram_gb",)),
                    Column("variant", ("variant",)),
                    Column("rent", ("price_usd_per_hour",)),
                    Column("count", ("offer_count",), needed=False),
                )
            ),
        ),
        read=_offers,
    ),
    _layout(
        "gpurentalprices",
        "gpurentalprices daily snapshots of offers (JSON)",
        choices=("provider", "gpu", "kind", "vram_gb"),
        document=Document("json", _are_snapshots, _snapshots),
    ),
)
