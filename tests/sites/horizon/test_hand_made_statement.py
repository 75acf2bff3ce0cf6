"""The five years of a phased hosting site that were made by hand in a spreadsheet, run from its site file.

tests/sites/money/statement has the spreadsheet, its values, and the site file: two phases, the halving of April 2028,
two hosting contracts, two investments, a loan and a tax.
"""

import csv
from pathlib import Path

import numpy as np
import pytest

from bench.device_rates import resolve_device
from sites.file.inputs import read_inputs
from sites.horizon.statement import statement
from sites.horizon.worth import worth
from sites.horizon.years import run_years

FOLDER = Path(__file__).parents[1] / "money" / "statement"
CENT = 0.005


def columns(name):
    with (FOLDER / name).open(encoding="utf-8") as file:
        heading, *rows = csv.reader(file)
    return {key: np.array([float(row[at]) for row in rows]) for at, key in enumerate(heading) if key != "month"}


TRUE, YEARS = columns("months.csv"), columns("years.csv")


@pytest.fixture(scope="module")
def done():
    ((inputs, site),) = read_inputs(FOLDER / "site.toml", resolve_device)
    horizon = run_years(inputs, site, 5)
    return horizon, statement(horizon)


@pytest.mark.parametrize(
    ("name", "of"),
    [
        ("energy_mwh", lambda true: true["energy1_mwh"] + true["energy2_mwh"]),
        ("revenue_usd", lambda true: true["output1_usd"] + true["output2_usd"]),
        ("power_usd", lambda true: true["power_usd"]),
        ("fixed_usd", lambda true: true["fixed_cost_usd"]),
        ("contracts_usd", lambda true: true["hosting_usd"] - true["output1_usd"] - true["output2_usd"]),
        ("net_usd", lambda true: true["net_usd"]),
        ("capex_usd", lambda true: true["capex_usd"] - true["residual_usd"]),
        ("debt_usd", lambda true: true["loan_fee_usd"] + true["interest_usd"] + true["repaid_usd"] - true["drawn_usd"]),
        ("tax_usd", lambda true: true["tax_usd"]),
        ("cash_usd", lambda true: true["equity_usd"]),
    ],
)
def test_every_month_is_met_to_the_cent(done, name, of):
    _, made = done
    assert np.abs(made.monthly[name] - of(TRUE)).max() < CENT
    assert np.abs(made.yearly[name] - of(TRUE).reshape(5, 12).sum(axis=1)).max() < CENT


def test_each_phase_is_met_to_the_cent(done):
    _, made = done
    first, second = made.blocks
    assert np.abs(first.columns["revenue_usd"] - TRUE["output1_usd"]).max() < CENT
    assert np.abs(second.columns["revenue_usd"] - TRUE["output2_usd"]).max() < CENT
    assert (second.columns["revenue_usd"][:6] == 0.0).all()


def test_without_a_discount_rate_there_is_an_internal_rate_and_no_present_value(done):
    found = worth(*done)
    assert found.discount_frac is None
    assert found.cash.equity.npv_usd is None
    assert found.usd_per_ph_s_day is None
    assert found.cash.equity.irr_frac == pytest.approx(0.4106, abs=1e-4)
    assert found.cash.least_dscr == pytest.approx(2.372069357386214, rel=1e-9)  # cell I5 of Years
