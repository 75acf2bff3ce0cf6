"""The contract that the tables are published with, held against the tables."""

import csv
import json

import pyarrow.parquet as pq
import pytest

from hardware_profiles.errors import InputError
from sites import api
from sites.dispatch.year import site_year
from sites.file.inputs import read_inputs
from sites.planners.package import write_package
from sites.planners.plan import part_plans
from sites.planners.sam import year_of_8760
from sites.planners.schema import TABLES, json_schema


@pytest.fixture(scope="module")
def folder(tmp_path_factory, full_site_text, devices):
    """A run of the full site, which has every kind of part."""
    work = tmp_path_factory.mktemp("contract")
    (work / "everything.toml").write_text(full_site_text, encoding="utf-8")
    ((inputs, site),) = read_inputs(work / "everything.toml", devices)
    write_package(work / "out", [site_year(site, hourly=True)], [inputs], version="test", sam=False)
    return work / "out"


def test_what_is_declared_as_required_is_never_empty(folder):
    package = json.loads((folder / "datapackage.json").read_text(encoding="utf-8"))
    for resource in package["resources"]:
        path = folder / resource["path"]
        required = [f["name"] for f in resource["schema"]["fields"] if f["constraints"]["required"]]
        if resource["format"] == "csv":
            with path.open(encoding="utf-8-sig", newline="") as file:
                found = {name: set(values) for name, values in _columns(csv.DictReader(file)).items()}
        else:
            table = pq.read_table(path)
            found = {name: set(table.column(name).unique().to_pylist()) for name in required}
        for name in required:
            assert not found[name] & {None, ""}, (resource["name"], name)


def _columns(rows):
    read = list(rows)
    return {name: [row[name] for row in read] for name in read[0]}


def test_a_stage_that_is_not_reached_and_a_whole_block_are_null(folder):
    reached = pq.read_table(folder / "tables" / "loss_waterfall.parquet").column("reaches").to_pylist()
    assert set(reached) == {None, "nameplate", "measured", "available", "delivered", "sold"}
    parts = set(pq.read_table(folder / "tables" / "yield_hourly.parquet").column("part").unique().to_pylist())
    assert "" not in parts
    assert {None, "idle", "on-demand"} <= parts


def test_every_column_has_a_unit_in_every_schema(folder):
    published = json.loads((folder / "schema.json").read_text(encoding="utf-8"))
    for name, columns in TABLES.items():
        for column in columns:
            assert published["$defs"][name]["properties"][column.name]["x-unit"] == column.unit != ""
            assert (column.unit == "none") == (column.kind == "string")
    assert all(pq.read_table(folder / "tables" / "yield_annual.parquet").column("unit").to_pylist())


def test_the_root_of_the_json_schema_describes_the_package():
    published = json_schema()
    assert published["type"] == "object"
    assert published["required"] == list(published["properties"]) == list(TABLES)
    assert published["additionalProperties"] is False
    for name, table in published["properties"].items():
        assert table == {"type": "array", "items": {"$ref": f"#/$defs/{name}"}}
        assert name in published["$defs"]


def test_years_of_which_only_the_sums_were_kept_are_refused_with_the_cure(small_site_file, resolve, tmp_path):
    ((inputs, site),) = api.read(small_site_file, resolve)
    years = api.run_fleet([site])
    for call in (
        lambda: api.write(tmp_path / "new" / "out", years, [inputs]),
        lambda: api.plan(years[0]),
        lambda: part_plans(years[0]),
        lambda: year_of_8760(years[0]),
    ):
        with pytest.raises(InputError, match=r"site Small: expected a year run hour by hour \(.*hourly=True"):
            call()
    assert not (tmp_path / "new").exists()
