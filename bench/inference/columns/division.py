"""The division of published rows into those that may be fitted on, those held out, and those that are not judged."""

from collections.abc import Sequence
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

from bench.inference.columns.row import Row
from hardware_profiles.reading import read_toml

DIVISION = Path(__file__).parents[1] / "data" / "division.toml"


def may_fit(row: Row) -> bool:
    """Return whether the rule lets constants be fitted on a row.

    The tables of `fit` do not hold for publishers that were read after the first fits; those of `later` do.
    """
    return _is_listed(row, "later") or (not _is_of_later_publisher(row) and _is_listed(row, "fit"))


def _is_listed(row: Row, kind: str) -> bool:
    judged = row.refused is None and not row.separate and row.flag is None
    return judged and any(_matches(row, table) for table in _rule()[kind])


def _is_of_later_publisher(row: Row) -> bool:
    return any(words in row.source for words in _rule()["publishers"]["later"])


def divided(rows: Sequence[Row]) -> list[Row]:
    """Return rows with a flag at each that is not judged: those of `flagged`, and releases that the rule sets aside."""
    aside, why = _rule()["aside"]["models"], _rule()["aside"]["why"]
    compared = iter(flagged([row for row in rows if row.model.casefold() not in aside]))
    return [replace(row, flag=row.flag or why) if row.model.casefold() in aside else next(compared) for row in rows]


def flagged(rows: Sequence[Row]) -> list[Row]:
    """Return rows with a flag at each whose GPU waited: another with no more sequences drew far more power.

    The publisher's own flags are kept.
    """
    least = float(_rule()["flag"]["power_frac"])
    return [row if row.flag is not None else replace(row, flag=_waited(row, rows, least)) for row in rows]


def _waited(row: Row, rows: Sequence[Row], least: float) -> str | None:
    """Return why a row's GPU is suspected to have waited for its host, or None."""
    if row.power_w is None:
        return None
    drew = [other.power_w for other in rows if other.power_w is not None and _no_busier(other, row)]
    if row.power_w >= least * max(drew):
        return None
    return f"{row.power_w:,.0f} W, where no more sequences drew {max(drew):,.0f} W: host-bound suspected"


def _no_busier(other: Row, row: Row) -> bool:
    names = [(one.model_name or one.model, one.dtype, one.device_slug, one.gpus) for one in (other, row)]
    return names[0] == names[1] and (other.clients or 0) <= (row.clients or 0)


def _matches(row: Row, table: dict[str, Any]) -> bool:
    return (
        row.model_name in table["models"]
        and row.device_slug in table["devices"]
        and table.get("engine", row.engine) == row.engine
        and table.get("dtype", row.dtype) == row.dtype
        and row.gpus in table.get("gpus", [row.gpus])
    )


@cache
def _rule() -> dict[str, Any]:
    return read_toml(DIVISION)
