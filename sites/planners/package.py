"""The writer of a run's planner folder: Data Package, PyPSA network, series for SAM, and the inputs of the run."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from sites.files import new_folder, slug, slugs
from sites.market.bitcoin import known_until_utc
from sites.planners import tables
from sites.planners.csv_files import TIME_FORMAT, csv_bytes
from sites.planners.plan import plan_table
from sites.planners.pypsa_folder import write_pypsa
from sites.planners.sam import merchant_plant, year_of_8760
from sites.planners.schema import SCHEMA_VERSION, SMALL, TABLES, arrow_schema, json_schema, table_schema
from sites.planners.stored_inputs import difficulty_sha256, inputs_sha256, store_inputs

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from sites.dispatch.year import SiteYear
    from sites.file.inputs import Inputs
    from sites.planners.schema import Tables

    Row = dict[str, Any]

SAM_SITES = 4
PROFILE = "https://datapackage.org/profiles/2.0/datapackage.json"
_MAKERS: dict[str, Callable[[Sequence[SiteYear]], list[Row]]] = {
    "site": tables.site_rows,
    "site_block": tables.block_rows,
    "device_result": tables.device_rows,
    "yield_annual": tables.annual_rows,
    "loss_waterfall": tables.waterfall_rows,
    "value_curve": tables.curve_rows,
    "assumption": tables.assumption_rows,
}


def write_package(
    target: Path, years: Sequence[SiteYear], inputs: Sequence[Inputs], *, version: str, sam: bool | None = None
) -> list[str]:
    """Write the planner folder of a run, completely or not at all.

    Parameters
    ----------
    target
        The new folder.
    years
        Years of the sites, run with `hourly=True`.
    inputs
        Inputs of the sites.
    version
        Version of the program.
    sam
        Whether to write series for SAM (about 10 MB each); by default only for up to four sites.

    Returns
    -------
    list of str
        Notes about data that were left out or changed, and why.

    Raises
    ------
    InputError
        The target exists or cannot be created, or a year was not run with `hourly=True`, or in shorter steps.
    OSError
        The disk fails.
    """
    for year in years:
        year.site.check_hourly("planner folder")
        year.in_hours()
    notes: list[str] = []
    names = slugs(year.site.name for year in years)
    with new_folder(target) as work:
        store_inputs(inputs, work / "inputs")
        rows = {name: make(years) for name, make in _MAKERS.items()}
        known = min(known_until_utc(year.site.path) for year in years)
        rows["run"] = [run_row(target.name, work, version, known)]
        (work / "tables").mkdir()
        for name in SMALL:
            write_table(work / "tables", name, rows[name])
        _write_hourly(work / "tables" / "yield_hourly.parquet", years)
        notes += [
            f"{year.site.name}: the network for PyPSA has neither battery nor start costs"
            for year in years
            if year.storage is not None
        ]
        for year, name in zip(years, names, strict=True):
            write_pypsa(year.site, work / "pypsa" / name if len(years) > 1 else work / "pypsa")
        with_sam = sam if sam is not None else len(years) <= SAM_SITES
        if with_sam:
            (work / "sam").mkdir()
            for year, name in zip(years, names, strict=True):
                if year.storage is not None:
                    notes.append(f"{year.site.name}: no series for SAM, which has no start costs and no losses")
                    continue
                series = year_of_8760(year)
                text = json.dumps(merchant_plant(series), separators=(",", ":"))
                (work / "sam" / f"{name}.json").write_text(text, encoding="utf-8")
                notes += series.notes
        else:
            notes.append(f"series for SAM are not written for more than {SAM_SITES} sites, except with --sam")
        write_json(work / "schema.json", json_schema())
        write_json(work / "datapackage.json", data_package(target.name, notes))
    return notes


def run_row(run_id: str, work: Path, version: str, difficulty_known_until: str) -> Row:
    """Return the row of `run` for a folder whose inputs are stored."""
    return {
        "run_id": run_id,
        "created_utc": datetime.now(UTC).replace(microsecond=0),
        "perwatt_version": version,
        "schema_version": SCHEMA_VERSION,
        "inputs_sha256": inputs_sha256(work / "inputs"),
        "difficulty_sha256": difficulty_sha256(),
        "difficulty_known_until": difficulty_known_until,
    }


def write_table(folder: Path, name: str, rows: list[Row], tables: Tables = TABLES) -> None:
    """Write the rows of a planner table, which must have all columns, to a folder as Parquet and CSV."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    table = pa.Table.from_pylist(rows, schema=arrow_schema(name, tables))
    pq.write_table(table, folder / f"{name}.parquet")
    columns = [column.name for column in tables[name]]
    cells = ([row[column] for column in columns] for row in rows)
    (folder / f"{name}.csv").write_bytes(csv_bytes(columns, cells))


def _write_hourly(path: Path, years: Sequence[SiteYear]) -> None:
    import pyarrow.parquet as pq

    with pq.ParquetWriter(path, arrow_schema("yield_hourly"), compression="zstd") as writer:
        for year in years:
            writer.write_table(plan_table(year))


def data_package(name: str, notes: list[str], tables: Tables = TABLES) -> dict[str, object]:
    """Return the Data Package of a folder: every table with its columns."""
    resources = []
    for table in tables:
        for kind, media in (("parquet", "application/vnd.apache.parquet"), ("csv", "text/csv")):
            if kind == "csv" and table == "yield_hourly":
                continue
            resources.append(
                {
                    "name": table if kind == "parquet" else f"{table}-csv",
                    "type": "table",
                    "path": f"tables/{table}.{kind}",
                    "format": kind,
                    "mediatype": media,
                    "encoding": "utf-8",
                    "schema": table_schema(table, tables),
                }
            )
    return {
        "$schema": PROFILE,
        "name": slug(name),
        "title": "perwatt yield: mining and inference on the same megawatt",
        "version": SCHEMA_VERSION,
        "created": datetime.now(UTC).strftime(TIME_FORMAT),
        "notes": notes,
        "resources": resources,
    }


def write_json(path: Path, document: object) -> None:
    """Write a JSON document, indented."""
    path.write_text(json.dumps(document, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
