"""The writer of the planner folder of several years: tables of months, a network of each year, series for SAM."""

from __future__ import annotations

import json
from itertools import groupby
from typing import TYPE_CHECKING, Any

import numpy as np

from sites.dispatch.later_year import first_day
from sites.files import slugs
from sites.horizon.phases import pieces
from sites.market.bitcoin import known_until_utc
from sites.planners.horizon.schema import YEARS_TABLES
from sites.planners.horizon.tables import cash_rows, contract_rows, yield_rows
from sites.planners.package import SAM_SITES, data_package, run_row, write_json, write_table
from sites.planners.pypsa_folder import write_pypsa
from sites.planners.sam import HourlyCash, Series, merchant_plant_of_years, series_of
from sites.planners.schema import json_schema
from sites.planners.stored_inputs import store_inputs

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from sites.arrays import Floats
    from sites.file.inputs import Inputs
    from sites.horizon.activity import Activity
    from sites.horizon.statement import Statement
    from sites.horizon.years import Horizon

    Row = dict[str, Any]

FEBRUARY, DAY_29 = 1, 29


class YearsFolder:
    """A planner folder to which the sites are added one after the other, so that one horizon is held at a time."""

    def __init__(self, work: Path, inputs: Sequence[Inputs], *, sam: bool | None) -> None:
        self._work, self._inputs = work, inputs
        sites = [one.file.site.name for one in inputs]
        self._names = dict(zip(sites, slugs(sites), strict=True))
        self._sam = sam if sam is not None else len(inputs) <= SAM_SITES
        self._notes: list[str] = []
        self._known: list[str] = []
        self._rows: dict[str, list[Row]] = {name: [] for name in YEARS_TABLES}

    def add(self, horizon: Horizon, done: Statement) -> None:
        """Write what a site does in all years."""
        name = self._names[horizon.site.name]
        self._rows["yield_monthly"] += yield_rows(done)
        self._rows["cash_monthly"] += cash_rows(done)
        self._rows["contract"] += contract_rows(done)
        self._rows["assumption"] += [
            {"site": done.site, "key": one.key, "value": str(one.value), "source": one.source, "date": one.date}
            for one in horizon.site.assumptions
        ]
        self._known.append(known_until_utc(horizon.site.path))
        if horizon.site.has_storage:
            self._notes.append(
                f"{done.site}: no networks for PyPSA and no series for SAM, which have neither battery nor start costs"
            )
            return
        networks = self._work / "pypsa" / name if len(self._names) > 1 else self._work / "pypsa"
        for own in horizon.years:
            for piece in pieces(own):
                if piece.blocks:
                    write_pypsa(piece, networks / first_day(piece).isoformat())
        if self._sam:
            (self._work / "sam").mkdir(exist_ok=True)
            series = sam_years(horizon)
            text = json.dumps(merchant_plant_of_years(series), separators=(",", ":"))
            (self._work / "sam" / f"{name}.json").write_text(text, encoding="utf-8")
            self._notes += dict.fromkeys(note for year in series for note in year.notes)

    def finish(self, run_id: str, version: str) -> list[str]:
        """Write inputs, tables and descriptions; return notes about data that were left out or changed, and why."""
        if not self._sam:
            self._notes.append(f"series for SAM are not written for more than {SAM_SITES} sites, except with --sam")
        store_inputs(self._inputs, self._work / "inputs")
        self._rows["run"] = [run_row(run_id, self._work, version, min(self._known))]
        (self._work / "tables").mkdir()
        for name, rows in self._rows.items():
            write_table(self._work / "tables", name, rows, YEARS_TABLES)
        write_json(self._work / "schema.json", json_schema(YEARS_TABLES))
        write_json(self._work / "datapackage.json", data_package(run_id, self._notes, YEARS_TABLES))
        return self._notes


def sam_years(horizon: Horizon) -> list[Series]:
    """Return each year of a horizon in the form that SAM accepts."""
    series = []
    for year, parts in groupby(horizon.parts, lambda part: part.year):
        done = [part.activity for part in parts]
        site = horizon.years[year]
        days = np.datetime64(first_day(site)) + site.calendar.day_of_year
        day_of_month = (days - days.astype("datetime64[M]")).astype(np.int64) + 1
        series.append(
            series_of(
                HourlyCash(
                    name=site.name,
                    draw_mw=_whole(done, lambda one: one.metered_mwh),
                    earned_usd=_whole(done, lambda one: one.revenue_usd + one.rent_usd),
                    cost_usd=_whole(done, _cost_usd),
                    demand_charge_usd=float(_whole(done, lambda one: one.demand_charge_usd).sum()),
                    fixed_usd=site.fixed_usd_per_year,
                    month=site.calendar.billing,
                    leap_day=(site.calendar.month == FEBRUARY) & (day_of_month == DAY_29),
                    interconnect_mw=site.interconnect_mw,
                )
            )
        )
    return series


def _cost_usd(done: Activity) -> Floats:
    """Return power and penalties less credits, without demand charge [USD], [T]."""
    return done.power_usd - done.demand_charge_usd + done.penalty_usd - done.credits_usd


def _whole(parts: Sequence[Activity], of: Any) -> Floats:
    whole: Floats = np.concatenate([of(part) for part in parts])
    return whole
