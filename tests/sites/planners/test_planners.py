"""The output contract: tables, schemas, PyPSA and SAM reading it, and folders that are whole or absent."""

import csv
import errno
import json
import math
import os
import subprocess
import sys
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from hardware_profiles.errors import InputError
from sites.dispatch.year import site_year
from sites.file.build import load_site
from sites.file.inputs import read_inputs
from sites.files import new_folder, write_file
from sites.planners import package
from sites.planners.package import write_package
from sites.planners.sam import SAM_YEARS
from sites.planners.schema import SCHEMA_VERSION, SMALL, TABLES, json_schema
from sites.planners.stored_inputs import load_inputs

ROOT = Path(__file__).resolve().parents[3]


def test_pysams_merchant_plant_reproduces_the_sum_of_the_series(run):
    from PySAM import Merchantplant

    folder, year, _ = run
    inputs = json.loads((folder / "sam" / "everything.json").read_text(encoding="utf-8"))
    plant = Merchantplant.default("PVWattsMerchantPlant")
    plant.assign(inputs)
    plant.execute(0)
    exported = math.fsum(mw * usd for mw, usd in inputs["Revenue"]["mp_energy_market_revenue"])
    assert len(inputs["SystemOutput"]["gen"]) == 25 * 8760
    assert sum(plant.Outputs.cf_energy_market_revenue) == pytest.approx(exported, rel=1e-6)
    assert exported == pytest.approx(SAM_YEARS * year.revenue_usd, rel=1e-6)


def test_every_table_is_there_in_parquet_with_units_and_the_small_ones_as_csv(run):
    folder, _, _ = run
    for name, columns in TABLES.items():
        schema = pq.read_schema(folder / "tables" / f"{name}.parquet")
        assert schema.names == [column.name for column in columns]
        assert all(b"unit" in field.metadata and b"description" in field.metadata for field in schema)
        assert (folder / "tables" / f"{name}.csv").exists() == (name in SMALL)
    assert pq.read_metadata(folder / "tables" / "yield_hourly.parquet").num_rows == 8760 * 9
    with (folder / "tables" / "site.csv").open(encoding="utf-8-sig", newline="") as file:
        (row,) = csv.DictReader(file)
    assert float(row["net_usd"]) == run[1].net_usd


def test_missing_is_null_and_never_zero(run):
    folder, _, _ = run
    blocks = {row["block"]: row for row in pq.read_table(folder / "tables" / "site_block.parquet").to_pylist()}
    assert blocks["serve"]["btc"] is None
    assert blocks["old"]["btc"] > 0
    devices = pq.read_table(folder / "tables" / "device_result.parquet").to_pylist()
    assert {row["token_basis"] for row in devices} == {None, "output"}


def test_times_are_utc_and_begin_the_hour(run):
    first = pq.read_table(run[0] / "tables" / "yield_hourly.parquet").column("time_utc")[0].as_py()
    assert first.isoformat() == "2026-01-01T05:00:00+00:00"


def test_the_package_lists_every_file_with_its_schema(run):
    folder, _, _ = run
    listed = json.loads((folder / "datapackage.json").read_text(encoding="utf-8"))
    assert listed["version"] == SCHEMA_VERSION
    paths = {resource["path"] for resource in listed["resources"]}
    assert paths == {str(path.relative_to(folder)) for path in (folder / "tables").iterdir()}
    for resource in listed["resources"]:
        assert all({"name", "type", "unit", "description"} <= field.keys() for field in resource["schema"]["fields"])


def test_rows_satisfy_the_published_json_schema(run):
    folder, _, _ = run
    published = json.loads((folder / "schema.json").read_text(encoding="utf-8"))
    assert published == json.loads(json.dumps(json_schema()))
    kinds = {"string": str, "number": (int, float), "integer": int, "null": type(None)}
    for name in SMALL:
        definition = published["$defs"][name]
        for row in pq.read_table(folder / "tables" / f"{name}.parquet").to_pylist():
            assert set(row) == set(definition["required"])
            for key, value in row.items():
                wanted = definition["properties"][key]
                types = wanted["type"] if isinstance(wanted["type"], list) else [wanted["type"]]
                if wanted.get("format") != "date-time":
                    assert isinstance(value, tuple(kinds[kind] for kind in types)), (name, key, value)


def test_stored_inputs_give_the_same_year_again(run):
    folder, year, _ = run
    (inputs,) = load_inputs(folder)
    assert site_year(inputs.site()).net_usd == year.net_usd


def test_many_sites_have_a_network_each_and_no_series_for_sam_unless_asked(small_site_file, resolve, tmp_path):
    text = small_site_file.read_text(encoding="utf-8")
    given = []
    for number in range(5):
        path = tmp_path / f"{number}.toml"
        path.write_text(text.replace('"Small"', f'"Small {number}"'), encoding="utf-8")
        given += read_inputs(path, resolve)
    years = [site_year(site, hourly=True) for _, site in given]
    notes = write_package(tmp_path / "out", years, [inputs for inputs, _ in given], version="test")
    assert len(list((tmp_path / "out" / "pypsa").iterdir())) == 5
    assert not (tmp_path / "out" / "sam").exists()
    assert any("series for SAM are not written" in note for note in notes)


def test_a_folder_that_exists_is_never_overwritten(small_site_file, resolve, tmp_path):
    ((inputs, site),) = read_inputs(small_site_file, resolve)
    target = tmp_path / "out"
    target.mkdir()
    with pytest.raises(InputError, match="expected a path that does not exist yet"):
        write_package(target, [site_year(site, hourly=True)], [inputs], version="test")
    assert not list(target.iterdir())


def test_a_parent_that_is_a_file_is_refused(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(InputError, match=r"expected a folder that can be made, got .*/file, which is a file"):
        with_folder(tmp_path / "file" / "out")
    with pytest.raises(InputError, match=r"expected a file that can be written, got .*/file, which is a file"):
        write_file(tmp_path / "file" / "plot.svg", b"x")


def with_folder(target):
    with new_folder(target):
        pass


@pytest.mark.parametrize("call", ["write_pypsa", "write_table", "_write_hourly", "write_json", "store_inputs"])
def test_a_disk_that_fills_up_leaves_nothing_behind(small_site_file, resolve, tmp_path, monkeypatch, call):
    def full(*_args, **_kwargs):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(package, call, full)
    ((inputs, site),) = read_inputs(small_site_file, resolve)
    work = tmp_path / "runs"
    with pytest.raises(OSError, match="No space left"):
        write_package(work / "out", [site_year(site, hourly=True)], [inputs], version="test", sam=False)
    assert not list(work.iterdir())


def test_a_file_is_replaced_whole_or_left_alone(tmp_path, monkeypatch):
    target = tmp_path / "plot.svg"
    write_file(target, b"first")

    def full(_handle):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space left"):
        write_file(target, b"second")
    assert target.read_bytes() == b"first"
    assert list(tmp_path.iterdir()) == [target]


@pytest.mark.parametrize("damage", ["", "{}", "[1]", '{"devices": {}, "site": {}}'])
def test_damaged_stored_inputs_are_refused_by_place(tmp_path, damage):
    path = tmp_path / "inputs" / "000" / "inputs.json"
    path.parent.mkdir(parents=True)
    path.write_text(damage, encoding="utf-8")
    with pytest.raises(InputError, match=r"inputs\.json: "):
        load_inputs(tmp_path)
    with pytest.raises(InputError, match="expected a folder written by perwatt yield --out"):
        load_inputs(tmp_path / "none")


def test_an_hourly_file_is_copied_into_the_run(small_site_file, resolve, tmp_path):
    from datetime import UTC, datetime, timedelta

    first = datetime(2026, 1, 1, tzinfo=UTC)
    rows = [f"{(first + timedelta(hours=h)).isoformat()},{h % 90}" for h in range(8760)]
    (tmp_path / "prices.csv").write_text("\n".join(["time,usd", *rows]), encoding="utf-8")
    text = small_site_file.read_text(encoding="utf-8")
    small_site_file.write_text(
        text.replace("[price]\nenergy_usd_per_mwh = 40", "[price.hourly]\nfile = 'prices.csv'\ncolumn = 'usd'"),
        encoding="utf-8",
    )
    ((inputs, site),) = read_inputs(small_site_file, resolve)
    year = site_year(site, hourly=True)
    write_package(tmp_path / "out", [year], [inputs], version="test", sam=False)
    (tmp_path / "prices.csv").unlink()
    (stored,) = load_inputs(tmp_path / "out")
    assert site_year(stored.site()).net_usd == year.net_usd
    with pytest.raises(InputError, match=r"prices\.csv: expected a readable hourly series"):
        load_site(small_site_file, resolve)


@pytest.mark.parametrize("point", ["store_inputs", "write_pypsa", "write_json"])
def test_a_run_killed_while_it_writes_leaves_no_folder_that_looks_whole(small_site_file, tmp_path, point):
    code = f"""
import os, sys
from pathlib import Path
from bench.device_rates import resolve_device
from sites.planners import package
from sites.file.inputs import read_inputs
from sites.dispatch.year import site_year
setattr(package, {point!r}, lambda *_args, **_kwargs: os._exit(9))
((inputs, site),) = read_inputs(Path(sys.argv[1]), resolve_device)
package.write_package(Path(sys.argv[2]), [site_year(site, hourly=True)], [inputs], version="test", sam=False)
"""
    text = small_site_file.read_text(encoding="utf-8").replace('"air"', '"antminer-s19-xp"')
    small_site_file.write_text(text, encoding="utf-8")
    target = tmp_path / "runs" / "out"
    ended = subprocess.run([sys.executable, "-c", code, small_site_file, target], check=False, cwd=ROOT)
    assert ended.returncode == 9
    assert not target.exists()
    assert all(path.name.startswith(".out.") and path.name.endswith(".tmp") for path in target.parent.iterdir())
