"""Contracts of a site file settled against a ledger of hours, and what does not fit it."""

from datetime import date, timedelta

import numpy as np
import pytest

from hardware_profiles.errors import InputError
from hardware_profiles.reading import parse_toml, validate
from sites.contracts.file import settled
from sites.contracts.ledger import BlockLedger, Ledger
from sites.contracts.lines import total_usd
from sites.contracts.power_file import Outside
from sites.file.contracts.tables import MoneyTables
from sites.hours.clock import Clock
from sites.hours.months import Months

MONTHS = Months.of(date(2026, 1, 1), 2)
HOURS = 24 * int(MONTHS.days.sum())


def _ledger(miners_mw=20.0, gpus_mw=5.0):
    hour = np.arange(HOURS)
    day = np.datetime64(MONTHS.start).astype(np.int64) + hour // 24
    month = (day.astype("datetime64[D]").astype("datetime64[M]").astype(np.int64)) - 12 * (2026 - 1970)
    whole = np.ones(HOURS)
    return Ledger(
        start_s=86_400 * day[0] + 3600 * hour,
        day=day,
        how=(day + 3) % 7 * 24 + hour % 24,
        month=month,
        step_h=whole,
        spot_usd_per_mwh=40.0 * whole,
        metered_mwh=(miners_mw + gpus_mw) * whole,
        power_usd=45.0 * (miners_mw + gpus_mw) * whole,
        blocks={
            "miners": BlockLedger(miners_mw * whole, 2000.0 * whole, None),
            "gpus": BlockLedger(gpus_mw * whole, 9000.0 * whole, 4000.0 * whole),
        },
    )


PLANT = "generated_mwh = { file = 'w.csv', column = 'mwh' }"
SWAP = "kind = 'swap'\nmw = 1\nfixed_usd_per_mwh = 43\n"
OUTSIDE = Outside(
    Clock.of("UTC"),
    hourly=lambda _table: np.full(HOURS, 8.0),
    forward=lambda _table, months: np.full(len(months), 30.0),
)


def _settled(text, ledger=None):
    tables = validate(MoneyTables, parse_toml(f"[[contract]]\nname = 'it'\n{text}".encode(), "s.toml"), "s.toml")
    return settled(tables.contract, ledger or _ledger(), MONTHS, OUTSIDE)["it"]


def test_hosting_from_a_day_within_a_month():
    """15 to 31 January 2026 are 17 days of 24 hours of 20 MW: 8,160,000 kWh at 7 cents."""
    found = _settled(
        "kind = 'hosting'\nblocks = ['miners']\nusd_per_kwh = 0.07\nstart = 2026-01-15\nend = 2026-02-28\n"
        "minimum_usd_per_month = 1000000\n"
    )
    assert found["energy fee"][:3] == pytest.approx([571_200, 940_800, 0])
    assert found["minimum top-up"][:3] == pytest.approx([0, 59_200, 0])
    assert found["output of the customer"][:3] == pytest.approx([-2000 * 24 * 17, -2000 * 24 * 28, 0])


def test_being_hosted_returns_the_energy_that_the_host_pays():
    found = _settled("kind = 'hosting'\nrole = 'customer'\nblocks = ['miners']\nusd_per_kwh = 0.07\n")
    assert found["energy paid by the host"][0] == pytest.approx(744 * 20 * 45)
    assert found["energy fee"][0] == pytest.approx(-744 * 20_000 * 0.07)


def test_a_lease_replaces_the_output_of_its_block():
    found = _settled(
        "kind = 'lease'\nblocks = ['gpus']\ncontracted_kw = 8000\nusd_per_kw_month = 100\ntake_or_pay_percent = 50\n"
    )
    assert found["rent"][0] == pytest.approx(500_000)  # 5 MW are drawn
    assert found["energy passed through"][0] == pytest.approx(744 * 5 * 45)
    assert found["output of the tenant"][0] == pytest.approx(-744 * 9000)


def test_reserved_gpu_hours_and_those_on_demand():
    found = _settled(
        "kind = 'gpu_hours'\nblocks = ['gpus']\nusd_per_gpu_hour = 2.5\nreserved_gpus = 3000\n"
        "reserved_usd_per_gpu_hour = 1.8\n"
    )
    assert found["reserved"][0] == pytest.approx(744 * 3000 * 1.8)
    assert found["on demand"][0] == pytest.approx(744 * 1000 * 2.5)


@pytest.mark.parametrize(
    ("text", "usd_per_hour"),
    [
        ("kind = 'ppa'\nmw = 10\nfixed_usd_per_mwh = 35\n", 50.0),
        ("kind = 'ppa'\nmw = 10\ncap_usd_per_mwh = 32\n", 80.0),
        ("kind = 'ppa'\nmw = 10\nadder_usd_per_mwh = 2\nindex = { file = 'f.csv', column = 'usd' }\n", 80.0),
        (f"kind = 'ppa'\n{PLANT}\nshare_percent = 50\nfixed_usd_per_mwh = 35\n", 20.0),
        ("kind = 'swap'\nmw = 10\nfixed_usd_per_mwh = 43\n", -30.0),
        ("kind = 'swap'\nmw = 10\nfixed_usd_per_mwh = 43\nfloating = 'month average'\n", -30.0),
    ],
)  # fmt: skip
def test_power_contracts_against_a_spot_price_of_40(text, usd_per_hour):
    assert total_usd(_settled(text))[:2] == pytest.approx([744 * usd_per_hour, 672 * usd_per_hour])


def test_the_strike_of_a_swap_rises_at_its_anniversary():
    found = total_usd(_settled("kind = 'swap'\nmw = 10\nfixed_usd_per_mwh = 40\nescalator_percent_per_year = 5\n"))
    assert found[[0, 12]] == pytest.approx([0, -744 * 10 * 2])


def test_an_event_counts_what_is_below_the_mean_of_the_month():
    ledger = _ledger()
    ledger.metered_mwh[15:17] = 13.0  # 1 January, 15:00 to 17:00: 12 of 25 MW are dropped
    found = _settled(
        "kind = 'demand_response'\nenrolled_mw = 10\nusd_per_mw_hour = 8\nusd_per_mwh = 100\n"
        "event = [{ start = 2026-01-01T15:00:00, hours = 2 }]\n",
        ledger,
    )
    assert found["energy payment"][0] == pytest.approx(2 * 10 * 100)
    assert found["capacity payment"][0] == pytest.approx(10 * 8 * 744)
    assert found["performance deduction"][0] == 0.0


def test_peaks_of_a_year_are_billed_in_the_next_at_the_demand_of_their_step():
    ledger = _ledger()
    ledger.metered_mwh[24 * 172 + 16] = 5.0  # 22 June 2026, 16:00
    found = _settled(
        "kind = 'transmission'\nusd_per_kw_year = 60\nprior_kw = 10000\n"
        "peak = [2026-06-22T16:45:00, 2026-07-20T16:30:00]\n",
        ledger,
    )
    charge = found["transmission charge"]
    assert charge[[0, 11]] == pytest.approx([-50_000, -50_000])
    assert charge[[12, 23]] == pytest.approx([-15_000 * 5, -15_000 * 5])


def test_peaks_before_the_horizon_do_not_replace_the_demand_of_the_year_before():
    text = "kind = 'transmission'\nusd_per_kw_year = 60\nprior_kw = 10000\npeak = [2025-06-22T16:45:00]\n"
    charge = _settled(text)["transmission charge"]
    assert charge[[0, 12]] == pytest.approx([-50_000, -25_000 * 5])  # the peak of 2025 is repeated in 2026


def test_a_minimum_take_of_the_whole_site():
    """25 MW in 8,760 hours are 219,000 MWh: 81,000 of 300,000 are not taken in each year."""
    found = _settled("kind = 'minimum_take'\ncontract_mwh_per_year = 300000\nunused_usd_per_mwh = 20\n")
    assert found["deficiency payment"][[11, 23]] == pytest.approx([-81_000 * 20] * 2)


@pytest.mark.parametrize(
    ("text", "line"),
    [
        (
            "kind = 'hosting'\nblocks = ['minors']\nusd_per_kwh = 0.07\n",
            r"key blocks: expected names of blocks of the site, got 'minors' \(did you mean miners\?\)",
        ),
        (
            "kind = 'gpu_hours'\nblocks = ['miners']\nusd_per_gpu_hour = 2.5\n",
            r"key blocks: expected blocks with usd_per_gpu_hour, got 'miners'",
        ),
        (f"{SWAP}start = 2028-01-01\n", r"key start: expected a day before 2028-01-01, the end of the horizon"),
        (f"{SWAP}end = 2025-12-31\n", r"key end: expected a day from 2026-01-01 on"),
    ],
)  # fmt: skip
def test_a_contract_that_does_not_fit_the_site_is_one_line(text, line):
    with pytest.raises(InputError, match=f"^contract it: {line}") as fault:
        _settled(text)
    assert len(fault.value.faults) == 1


def test_a_contract_without_dates_is_in_force_on_every_day():
    assert (_ledger().in_force(None, None) == 1.0).all()
    last = MONTHS.end - timedelta(days=1)
    assert _ledger().in_force(last, last).sum() == 24
