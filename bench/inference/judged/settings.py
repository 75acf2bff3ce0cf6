"""The settings that a publisher states for the server of a rate, where they are not the engine's defaults."""

from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

from bench.inference.columns.row import Row
from bench.inference.engine import Engine, engine
from hardware_profiles.reading import read_toml

SETTINGS = Path(__file__).parents[1] / "data" / "settings.toml"


def engine_of(row: Row) -> Engine:
    """Return the engine of a row with the settings that its publisher states."""
    serving = engine(row.engine)
    table = next((table for table in _tables().values() if _holds(table, row)), None)
    if table is None:
        return serving
    values = table["values"]
    return replace(
        serving,
        cache_bytes=values.get("cache_bytes", serving.cache_bytes),
        online_tokens=int(values.get("online_tokens", serving.online_tokens)),
        all_experts=bool(values.get("all_experts", serving.all_experts)),
    )


def _holds(table: dict[str, Any], row: Row) -> bool:
    return (
        row.engine == table["engine"]
        and row.device_slug in table["devices"]
        and any(words in row.source for words in table["words"])
    )


@cache
def _tables() -> dict[str, Any]:
    return read_toml(SETTINGS)
