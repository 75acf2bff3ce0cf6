"""The planner folder of several years: monthly tables, a network of each year, and a series of years for SAM."""

import csv
import json
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest

from bench.cli import main
from bench.device_rates import resolve_device
from sites.dispatch.year import site_year
from sites.file.inputs import read_inputs
from sites.horizon.phases import pieces
from sites.horizon.statement import COLUMNS, statement
from sites.horizon.worth import worth
from sites.horizon.years import run_years
from sites.planners.horizon.book import book_of
from sites.planners.horizon.schema import YEARS_TABLES
from sites.planners.stored_inputs import load_inputs

SITE = Path(__file__).parents[1] / "money" / "statement" / "site.toml"
YEARS = 5
# PyPSA 1.4 calls pandas 3 in two ways that pandas deprecates; neither is ours to change.
pytestmark = [
    pytest.mark.filterwarnings("ignore:pandas infers the:FutureWarning"),
    pytest.mark.filterwarnings("ignore:The inplace keyword:DeprecationWarning"),
]


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    target = tmp_path_factory.mktemp("years") / "out"
    with pytest.raises(SystemExit) as ended:
        main(["yield", str(SITE), "--years", str(YEARS), "--out", str(target)])
    assert ended.value.code == 0
    ((inputs, site),) = read_inputs(SITE, resolve_device)
    horizon = run_years(inputs, site, YEARS)
    return target, horizon, statement(horizon)


def rows(folder, name):
    return pq.read_table(folder / "tables" / f"{name}.parquet").to_pylist()


def test_the_monthly_tables_are_the_statement(run):
    folder, _, done = run
    months = rows(folder, "cash_monthly")
    assert [row["month"] for row in months] == list(done.months.names)
    for column in COLUMNS:
        assert [row[column.name] for row in months] == done.monthly[column.name].tolist()
    blocks = rows(folder, "yield_monthly")
    assert len(blocks) == 12 * YEARS * 2
    assert sum(row["btc"] for row in blocks) == pytest.approx(done.total["btc"], rel=1e-12)


def test_the_lines_of_contracts_add_up_to_the_statement(run):
    folder, _, done = run
    lines = rows(folder, "contract")
    assert {row["contract"] for row in lines} == {"first customer", "second customer"}
    for month, name in enumerate(done.months.names):
        total = sum(row["usd"] for row in lines if row["month"] == name)
        assert total == pytest.approx(done.monthly["contracts_usd"][month], rel=1e-12)


def test_every_table_is_described_and_there_as_csv_too(run):
    folder, _, done = run
    package = json.loads((folder / "datapackage.json").read_text(encoding="utf-8"))
    assert {one["name"] for one in package["resources"]} == {
        name for table in YEARS_TABLES for name in (table, f"{table}-csv")
    }
    for name, columns in YEARS_TABLES.items():
        assert pq.read_schema(folder / "tables" / f"{name}.parquet").names == [column.name for column in columns]
    with (folder / "tables" / "cash_monthly.csv").open(encoding="utf-8-sig", newline="") as file:
        months = list(csv.DictReader(file))
    assert float(months[-1]["cash_usd"]) == done.monthly["cash_usd"][-1]


def test_the_sums_of_the_workbook_are_those_of_the_statement(run):
    """Each formula of a month adds up the columns that it names, with their signs."""
    _, horizon, done = run
    columns = {column.name: column for column in book_of(done, worth(horizon, done)).columns}
    assert {name for name, column in columns.items() if column.terms} >= {"net_usd", "cash_usd"}
    for column in columns.values():
        if column.terms:
            total = sum(sign * columns[name].values for sign, name in column.terms)
            assert column.values == pytest.approx(total, rel=1e-12)


def test_the_stored_inputs_give_the_same_statement(run):
    folder, _, done = run
    (inputs,) = load_inputs(folder)
    again = statement(run_years(inputs, inputs.site(), YEARS))
    assert again.total == done.total


def test_there_is_a_network_of_each_part_of_a_year_and_its_optimum_is_ours(run):
    """The first year has two: before and after the second phase begins."""
    pypsa = pytest.importorskip("pypsa", reason="the extra `planners` is not installed")
    folder, horizon, _ = run
    names = ["2026-01-01", "2026-07-01", *(f"{year}-01-01" for year in range(2027, 2031))]
    assert sorted(path.name for path in (folder / "pypsa").iterdir()) == names
    parts = [piece for own in horizon.years for piece in pieces(own)]
    for name, piece in list(zip(names, parts, strict=True))[:2]:
        network = pypsa.Network(folder / "pypsa" / name)
        network.optimize(solver_name="highs", log_to_console=False, include_objective_constant=False)
        assert -network.objective == pytest.approx(site_year(piece).dispatch.net_usd, rel=1e-9)


def test_sam_takes_the_years_as_the_life_of_the_plant(run):
    """Revenue and cost of each year are those of the statement, but for the hours of 29 February."""
    merchant_plant = pytest.importorskip("PySAM.Merchantplant", reason="the extra `planners` is not installed")
    folder, horizon, done = run
    inputs = json.loads((folder / "sam" / "hosting-in-two-phases.json").read_text(encoding="utf-8"))
    assert len(inputs["SystemOutput"]["gen"]) == 8760 * YEARS
    plant = merchant_plant.default("PVWattsMerchantPlant")
    plant.assign(inputs)
    plant.execute(0)
    earned = np.array(plant.Outputs.cf_energy_market_revenue[1:])
    paid = np.array(plant.Outputs.cf_om_production_expense[1:])
    leap = next(part.activity for part in horizon.parts if part.year == 2)
    on_leap_day = np.where(np.arange(YEARS) == 2, leap.revenue_usd[leap.calendar.day_of_year == 59].sum(), 0.0)
    assert earned == pytest.approx(done.yearly["revenue_usd"] - on_leap_day, rel=1e-6)
    paid_on_leap_day = np.where(np.arange(YEARS) == 2, leap.power_usd[leap.calendar.day_of_year == 59].sum(), 0.0)
    assert paid == pytest.approx(done.yearly["power_usd"] - paid_on_leap_day, rel=1e-6)
    fixed = np.array(plant.Outputs.cf_om_fixed_expense[1:])
    assert fixed == pytest.approx(done.yearly["fixed_usd"], rel=1e-9)
