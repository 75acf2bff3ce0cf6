"""The ledger of a horizon: its local days and its energy at the meter; contracts in workbook and levelised cost."""

from pathlib import Path

import numpy as np
import pytest

from hardware_profiles.errors import InputError
from sites.horizon.ledger import ledger_of
from sites.horizon.statement import statement
from sites.horizon.worth import worth
from sites.horizon.years import run_years
from sites.planners.horizon.book import book_of

HORIZON = "[horizon]\nyears = 2\ndiscount_percent = 10\n"
HOSTING = "[[contract]]\nkind = 'hosting'\nname = 'customer'\nblocks = ['miners']\nusd_per_kwh = 0.07\n"
SWAP = "[[contract]]\nkind = 'swap'\nname = 'hedge'\nmw = 5\nfixed_usd_per_mwh = 44\n"
PHASE = "start = 2026-07-15\nend = 2027-05-20\n"


def _worth(make, more):
    horizon = run_years(*make(more=more), 2)
    done = statement(horizon)
    return done, worth(horizon, done)


@pytest.mark.parametrize("miners", ["", PHASE])
def test_the_local_days_of_a_ledger_have_23_and_25_hours_at_clock_changes(make, miners):
    more = (
        "" if not miners else f"[[mining]]\nname = 'others'\ndevice = 'air'\ncount = 10\npool_fee_percent = 1\n{miners}"
    )
    ledger = ledger_of(run_years(*make(more=more), 2))
    days, hours = np.unique(ledger.day, return_counts=True)
    assert days.size == 730
    assert (np.diff(ledger.day) >= 0).all()
    names = days.astype("datetime64[D]").astype(str)
    changed = {str(name): int(count) for name, count in zip(names, hours, strict=True) if count != 24}
    assert changed == {"2026-03-08": 23, "2026-11-01": 25, "2027-03-14": 23, "2027-11-07": 25}


def test_the_energy_of_the_blocks_is_that_of_the_meter_and_of_the_bill(make):
    ledger = ledger_of(run_years(*make(gpus=""), 1))
    metered = sum(block.metered_mwh for block in ledger.blocks.values())
    assert metered == pytest.approx(ledger.metered_mwh, rel=1e-12)
    cost = sum(ledger.energy_usd(block) for block in ledger.blocks.values())
    assert cost == pytest.approx(ledger.power_usd, rel=1e-9)


def test_only_blocks_with_a_price_per_gpu_hour_have_gpu_hours(make):
    ledger = ledger_of(run_years(*make(gpus=""), 1))
    assert ledger.blocks["miners"].gpu_hours is None
    assert ledger.blocks["gpus"].gpu_hours.sum() == pytest.approx(4000 * 0.5 * 8760, rel=1e-3)


def test_hosting_leaves_the_fee_and_does_not_change_the_levelised_cost_of_a_hash(make):
    plain = _worth(make, HORIZON)[1]
    done, hosted = _worth(make, HORIZON + HOSTING)
    assert done.monthly["contracts_usd"] + done.monthly["revenue_usd"] == pytest.approx(70 * done.monthly["energy_mwh"])
    assert hosted.usd_per_ph_s_day == pytest.approx(plain.usd_per_ph_s_day, rel=1e-12)


def test_a_contract_on_power_changes_the_levelised_cost_of_a_hash(make):
    plain = _worth(make, HORIZON)[1]
    done, hedged = _worth(make, HORIZON + SWAP)
    assert done.monthly["contracts_usd"] == pytest.approx(-4.0 * 5.0 * _hours(done), rel=1e-12)
    assert hedged.usd_per_ph_s_day > plain.usd_per_ph_s_day


def test_the_workbook_has_the_lines_of_each_contract_and_sums_that_are_formulas(make):
    done, worths = _worth(make, HORIZON + HOSTING + SWAP)
    by_name = {column.name: column for column in book_of(done, worths).columns}
    assert {"customer: energy fee", "hedge: swap settlement"} <= by_name.keys()
    for column in by_name.values():
        if column.terms:
            total = sum(sign * by_name[name].values for sign, name in column.terms)
            assert total == pytest.approx(column.values, rel=1e-12, abs=1e-6), column.name


def _hours(done):
    clock = np.array([{3: -1, 11: 1}.get(first.month, 0) for first in done.months.firsts])
    return 24.0 * done.months.days + clock


@pytest.mark.parametrize(
    ("more", "line"),
    [
        (HOSTING.replace("miners", "minors"), "contract customer: key blocks: expected names of blocks of the site"),
        (
            "[[capex]]\nname = 'it'\npaid = 2029-01-01\nusd = 1\nlife_months = 12\n",
            "capex it: key paid: expected a day of 2026-01-01 to 2027-12-31, the horizon, got '2029-01-01'",
        ),
        (
            (
                "[[debt]]\nkind = 'bullet'\nname = 'it'\nprincipal_usd = 1\ninterest_percent = 9\ndrawn = 2026-01-01\n"
                "months = 36\n"
            ),
            "debt it: key months: expected at most 24, because the horizon ends on 2027-12-31",
        ),
        (
            (
                "[[contract]]\nkind = 'ppa'\nname = 'it'\nmw = 1\nadder_usd_per_mwh = 1\n"
                "index = { file = 'gap.csv', column = 'usd' }\n"
            ),
            "gap.csv: expected a price for each month of 2026-01 to 2027-12, got none for 2026-02 and 22 more",
        ),
    ],
)
def test_what_does_not_fit_the_years_is_one_line_that_names_the_file(make, more, line):
    inputs, site = make(more=HORIZON + more)
    (Path(inputs.path).parent / "gap.csv").write_text("month,usd\n2026-01,40\n", encoding="utf-8")
    with pytest.raises(InputError) as fault:
        statement(run_years(inputs, site, 2))
    (found,) = fault.value.faults
    assert found.startswith(f"{Path(inputs.path).parent}")
    assert line in found
