"""A statement of five years made by hand in a spreadsheet: contracts, debt, depreciation and tax meet it to the cent.

hosting.xlsx has formulas in its cells and was computed by LibreOffice; months.csv and years.csv are its values.
"""

import csv
from datetime import date
from pathlib import Path

import numpy as np
import pytest
from oracles.office import recomputed

from hardware_profiles.reading import read_toml, validate
from sites.contracts.file import settled
from sites.contracts.ledger import BlockLedger, Ledger
from sites.contracts.lines import total_usd
from sites.contracts.power_file import Outside
from sites.file.contracts.tables import MoneyTables
from sites.hours.clock import Clock
from sites.hours.months import Months
from sites.money.cash import cash, measures
from sites.money.file import plan_of
from sites.money.measures import dscr, irr_frac
from sites.money.tax import TaxTerms, income_tax

FOLDER = Path(__file__).parent / "statement"
CENT = 0.005
MONTHS = Months.of(date(2026, 1, 1), 5)


def _columns(name):
    with (FOLDER / name).open(encoding="utf-8") as file:
        heading, *rows = csv.reader(file)
    return {key: np.array([float(row[at]) for row in rows]) for at, key in enumerate(heading) if key != "month"}


TRUE, YEARS = _columns("months.csv"), _columns("years.csv")


@pytest.fixture(scope="module")
def tables():
    document = read_toml(FOLDER / "site.toml")
    own = {key: document[key] for key in ("contract", "capex", "debt", "tax")}
    return validate(MoneyTables, own, "site.toml")


@pytest.fixture(scope="module")
def contracts(tables):
    """The contracts settled on the energy and the output of the spreadsheet, a step a month."""
    zero = np.zeros(60)
    firsts = np.array([np.datetime64(first) for first in MONTHS.firsts])
    ledger = Ledger(
        start_s=firsts.astype("datetime64[s]").astype(np.int64),
        day=firsts.astype(np.int64),
        how=np.zeros(60, np.int64),
        month=np.arange(60),
        step_h=TRUE["hours"],
        spot_usd_per_mwh=zero + 42.0,
        metered_mwh=TRUE["energy1_mwh"] + TRUE["energy2_mwh"],
        power_usd=TRUE["power_usd"],
        blocks={
            "phase 1": BlockLedger(TRUE["energy1_mwh"], TRUE["output1_usd"], zero),
            "phase 2": BlockLedger(TRUE["energy2_mwh"], TRUE["output2_usd"], zero),
        },
    )
    outside = Outside(Clock.of("America/Chicago"), lambda _table: zero, lambda _table, _months: zero)
    return settled(tables.contract, ledger, MONTHS, outside)


@pytest.fixture(scope="module")
def flows(tables, contracts):
    output = TRUE["output1_usd"] + TRUE["output2_usd"]
    operating = output - TRUE["power_usd"] - TRUE["fixed_cost_usd"] + sum(map(total_usd, contracts.values()))
    return cash(plan_of(tables), operating, MONTHS)


def _within_a_cent(found, column):
    assert np.abs(found - TRUE[column]).max() < CENT


def test_the_months_are_those_of_the_spreadsheet():
    assert MONTHS.days == pytest.approx(TRUE["days"])
    assert MONTHS.end_years == pytest.approx(TRUE["end_years"], rel=1e-14)


@pytest.mark.parametrize(("name", "number"), [("first customer", 1), ("second customer", 2)])
def test_each_line_of_hosting_is_met_to_the_cent(contracts, name, number):
    found = contracts[name]
    _within_a_cent(found["energy fee"], f"fee{number}_usd")
    _within_a_cent(found["revenue share"], f"share{number}_usd")
    _within_a_cent(found["minimum top-up"], f"top_up{number}_usd")
    assert (TRUE[f"top_up{number}_usd"] > 0).any()


def test_investments_debt_and_tax_are_met_to_the_cent(flows):
    _within_a_cent(flows.operating, "net_usd")
    _within_a_cent(flows.capex, "capex_usd")
    _within_a_cent(flows.depreciation, "depreciation_usd")
    _within_a_cent(flows.gain, "gain_usd")
    _within_a_cent(flows.proceeds, "residual_usd")
    _within_a_cent(flows.drawn, "drawn_usd")
    _within_a_cent(flows.fees, "loan_fee_usd")
    _within_a_cent(flows.interest, "interest_usd")
    _within_a_cent(flows.service - flows.interest, "repaid_usd")
    _within_a_cent(flows.balance, "balance_usd")
    _within_a_cent(flows.tax, "tax_usd")
    _within_a_cent(flows.equity, "equity_usd")


def test_the_years_and_the_measures_are_those_of_the_spreadsheet(flows):
    found = measures(flows, MONTHS, 0.10)
    assert found.equity.npv_usd == pytest.approx(TRUE["discounted_usd"].sum(), abs=CENT)
    years = MONTHS.calendar_year
    yearly = np.array([flows.equity[years == year].sum() for year in range(2026, 2031)])
    assert yearly == pytest.approx(YEARS["equity_usd"], abs=CENT)
    assert irr_frac(yearly, np.arange(1.0, 6.0)) == pytest.approx(0.522065534988823, rel=1e-9)  # cell B10 of Years
    ratios = dscr(flows.operating - flows.tax, flows.service, years)
    assert list(ratios.values()) == pytest.approx(YEARS["dscr"], rel=1e-9)
    assert found.least_dscr == pytest.approx(YEARS["dscr"].min(), rel=1e-9)


def test_losses_are_carried_as_the_spreadsheet_carries_them():
    found = income_tax(TaxTerms(0.21, loss_use_frac=0.8), TRUE["income_usd"], MONTHS)
    assert list(found.losses.values()) == pytest.approx(YEARS["losses_out_usd"], abs=CENT)


def test_libreoffice_computes_the_values_that_are_committed(tmp_path):
    from python_calamine import CalamineWorkbook

    book = CalamineWorkbook.from_path(recomputed(FOLDER / "hosting.xlsx", tmp_path))
    heading, *rows = book.get_sheet_by_name("Months").to_python()
    for at, name in enumerate(heading):
        if name != "month":
            assert [row[at] for row in rows[:60]] == pytest.approx(TRUE[name], rel=1e-12, abs=1e-9), name
