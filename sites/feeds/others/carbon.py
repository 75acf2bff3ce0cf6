"""Carbon intensity of electricity: exports of Electricity Maps and answers of WattTime.

Four facts belong to a figure, and no reader guesses one: average or marginal (`basis`), of the plants' stacks or of the
whole life cycle (`scope`), the mass and the energy (the unit). Electricity Maps writes averages of both scopes in
gCO2eq/kWh. WattTime writes marginal or average emissions of the stacks in pounds of CO2 per MWh.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sites.feeds.cells import cell_text, number
from sites.feeds.lengths import Moment, from_starts
from sites.feeds.model import CellError, Column, Document, Entry, Heading, Layout
from sites.feeds.wall_time import DAY_S, WallClock, iso_unix_s

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sites.feeds.rows import Rows
    from sites.feeds.selection import Selection

CHOICES = ("zone", "basis", "scope")
_LENGTHS_S = (300, 900, 3600, DAY_S)
_SIGNALS = {"co2_moer": "marginal", "co2_aoer": "average"}
_UNITS = {"lbs_co2_per_mwh": "lbCO2/MWh"}


def _spellings(*names: str) -> tuple[str, ...]:
    """Return names with the subscript of CO₂ and with a plain 2."""
    return tuple(name.replace("CO2", mark) for name in names for mark in ("CO₂", "CO2"))


def _read(rows: Rows, selection: Selection) -> Iterator[Entry]:
    return from_starts(_moments(rows, selection), selection, rows.name("time"), lengths_s=_LENGTHS_S)


def _moments(rows: Rows, selection: Selection) -> Iterator[Moment]:
    clock = WallClock("UTC", "%Y-%m-%d")
    time, zone = rows.at("time"), rows.at("zone")
    scopes = [(scope, rows.at(scope), rows.name(scope)) for scope in ("direct", "life-cycle")]
    for cells in rows:
        for scope, at, name in scopes:
            if selection.takes(cells[zone], "average", scope):
                day, _, time_of_day = cells[time].strip().replace("T", " ", 1).removesuffix("Z").partition(" ")
                start_s = clock.day(day, rows.name("time")) * DAY_S + clock.time_s(time_of_day, rows.name("time"))
                yield Moment(start_s, number(cells[at], name))


def _fits(document: Any) -> bool:
    meta = document.get("meta") if isinstance(document, dict) else None
    return isinstance(meta, dict) and "signal_type" in meta and isinstance(document.get("data"), list)


def _read_answer(document: Any, selection: Selection) -> Iterator[Entry]:
    meta = document["meta"]
    signal, units, period_s = (meta.get(key) for key in ("signal_type", "units", "data_point_period_seconds"))
    basis = _SIGNALS.get(signal) if isinstance(signal, str) else None
    if basis is None:
        raise CellError("meta: signal_type", expected=" or ".join(_SIGNALS), got=signal)
    if not isinstance(units, str) or units not in _UNITS:
        raise CellError("meta: units", expected=" or ".join(_UNITS), got=units)
    if not isinstance(period_s, int) or period_s not in _LENGTHS_S:
        raise CellError(
            "meta: data_point_period_seconds", expected=f"one of {', '.join(map(str, _LENGTHS_S))}", got=period_s
        )
    selection.states_unit(_UNITS[units])
    zone = cell_text(meta.get("region"))
    for at, point in enumerate(document["data"], 1):
        where = f"data: number {at}"
        if not isinstance(point, dict) or "point_time" not in point:
            raise CellError(where, expected="an object with point_time and value", got=point)
        if selection.takes(zone, basis, "direct"):
            start_s = iso_unix_s(cell_text(point["point_time"]), f"{where}: point_time")
            value = number(cell_text(point.get("value")), f"{where}: value")
            yield Entry(start_s, start_s + period_s, value)


LAYOUTS = (
    Layout(
        name="electricity-maps",
        title="Electricity Maps carbon intensity",
        quantity="carbon",
        unit="gCO2eq/kWh",
        timezone="UTC",
        label="start",
        repeated_hour="no repeated hour: UTC",
        choices=CHOICES,
        headings=(
            Heading(
                (
                    Column("time", ("Datetime (UTC)",)),
                    Column("zone", ("Zone id", "Zone Id")),
                    Column(
                        "direct",
                        _spellings(
                            "Carbon intensity gCO2eq/kWh (direct)",
                            "Carbon Intensity gCO2eq/kWh (direct)",
                        ),
                    ),
                    Column(
                        "life-cycle",
                        _spellings(
                            "Carbon intensity gCO2eq/kWh (Life cycle)",
                            "Carbon Intensity gCO2eq/kWh (LCA)",
                        ),
                    ),
                    Column("country", ("Country",), needed=False),
                    Column("name", ("Zone name", "Zone Name"), needed=False),
                    Column("free", ("Carbon-free energy percentage (CFE%)", "Low Carbon Percentage"), needed=False),
                    Column("renewable", ("Renewable energy percentage (RE%)", "Renewable Percentage"), needed=False),
                    Column("source", ("Data source", "Data Source"), needed=False),
                    Column("estimated", ("Data estimated", "Data Estimated"), needed=False),
                    Column("method", ("Data estimation method", "Data Estimation Method"), needed=False),
                )
            ),
        ),
        read=_read,
    ),
    Layout(
        name="watttime",
        title="WattTime emissions of the grid (third version of the API)",
        quantity="carbon",
        unit="",
        timezone="times with their offset",
        label="start",
        repeated_hour="no repeated hour: times have their offset",
        choices=CHOICES,
        document=Document("json", _fits, _read_answer),
    ),
)
