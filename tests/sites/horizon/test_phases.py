"""Phases: what begins, ends or is converted at a date, and the refusal of more power than the interconnect has."""

from dataclasses import replace
from datetime import UTC, date, datetime
from itertools import pairwise

import numpy as np
import pytest

from hardware_profiles.errors import InputError
from sites.dispatch.year import site_year
from sites.horizon.phases import part_of_year, pieces
from sites.horizon.statement import statement
from sites.horizon.years import run_years

CONVERSION = """
[horizon]
years = 3
[[horizon.conversion]]
block = "miners"
into = "gpus"
start = 2026-07-01
percent = 25
lead_days = 200
offline_days = 80
capex_usd = 5000000
resale_usd = 300000
"""


def block(done, name):
    return next(one for one in done.blocks if one.name == name).columns


def test_a_block_draws_power_from_its_first_to_its_last_day(state):
    """A constant load from 2027-03-10 to 2028-05-20, both included, counted in days."""
    done = state(3, btc="10000000", miners="start = 2027-03-10\nend = 2028-05-20", timezone="UTC")
    mwh = block(done, "miners")["facility_mwh"]
    per_day = mwh[15] / 30
    assert per_day > 0.0
    days = mwh / per_day
    assert days[:14] == pytest.approx(np.zeros(14), abs=1e-12)
    assert days[[14, 26, 27, 28, 29]] == pytest.approx([22, 31, 30, 20, 0], rel=1e-9)


def test_two_phases_after_one_another_are_one_block(state):
    """A replacement by the same machines at a date changes nothing but their age."""
    once = state(2, btc="10000000")
    twice = state(
        2,
        btc="10000000",
        miners="end = 2026-09-17",
        more='[[mining]]\nname = "new"\ndevice = "air"\ncount = 2000\npool_fee_percent = 1\nstart = 2026-09-18\n',
    )
    for name in ("energy_mwh", "btc", "power_usd", "net_usd"):
        assert twice.monthly[name] == pytest.approx(once.monthly[name], rel=1e-9)


def test_a_replacement_has_the_age_of_the_new_machines(make):
    """A block that starts later has the age of its file on its first day in service."""
    new = '[[mining]]\nname = "new"\ndevice = "air"\ncount = 2000\npool_fee_percent = 1\nstart = 2028-01-01\n'
    aging = "degradation_percent_per_year = 10\n"
    done = statement(run_years(*make(btc="10000000", miners=f"{aging}end = 2027-12-31", more=new + aging), 3))
    old, renewed = block(done, "miners")["units"], block(done, "new")["units"]
    assert renewed[24] == pytest.approx(old[0], rel=1e-9)
    assert old[12] == pytest.approx(0.9 * old[0], rel=1e-3)


def test_demand_of_a_block_that_starts_later_is_that_of_its_first_day(make):
    grows = "demand_growth_percent_per_year = 50\nstart = 2028-01-01"
    done = statement(run_years(*make(btc="10000000", gpus=grows), 3))
    at_once = statement(run_years(*make(btc="10000000", gpus="demand_growth_percent_per_year = 50"), 1))
    assert block(done, "gpus")["units"][24] == pytest.approx(block(at_once, "gpus")["units"][0], rel=1e-9)


def test_a_conversion_takes_power_off_before_the_new_block_begins(state):
    """25 % of the miners are off from 2026-10-29 on, the GPUs begin on 2027-01-17; capex and resale are paid."""
    done = state(3, btc="10000000", gpus="", more=CONVERSION, timezone="UTC")
    miners, gpus = block(done, "miners")["facility_mwh"], block(done, "gpus")["facility_mwh"]
    assert miners[10] / 30 == pytest.approx(0.75 * miners[8] / 30, rel=1e-9)
    assert miners[9] / (miners[8] / 30) == pytest.approx(28 + 3 * 0.75, rel=1e-9)
    assert gpus[:12] == pytest.approx(np.zeros(12), abs=1e-12)
    assert gpus[12] / (gpus[13] / 28) == pytest.approx(15, rel=1e-9)
    assert done.monthly["capex_usd"][6] == 5e6
    assert done.monthly["capex_usd"][9] == -3e5
    assert done.total["cash_usd"] == pytest.approx(done.total["net_usd"] - 4.7e6, rel=1e-12)


def test_machines_that_retire_are_sold_on_their_last_day(state):
    done = state(2, miners="end = 2027-02-28\nresale_usd = 1000", gpus="")
    assert np.flatnonzero(done.monthly["capex_usd"]).tolist() == [13]
    assert done.total["capex_usd"] == -1000.0


def test_contract_and_enrolment_hold_from_their_first_to_their_last_day(state):
    contract = (
        "energy_usd_per_mwh = 40\n[price.contract]\nmw = 2\nusd_per_mwh = 45\nresale_discount_usd_per_mwh = 50\n"
        "start = 2026-03-01\nend = 2026-04-30"
    )
    enrolled = "[curtailment]\nenrolled_mw = 4\nready_usd_per_mw_hour = 3\nend = 2026-02-28\n"
    plain = state(1, btc="10000000", gpus="", timezone="UTC")
    done = state(1, btc="10000000", gpus="", price=contract, more=enrolled, timezone="UTC")
    dearer = done.monthly["power_usd"] - plain.monthly["power_usd"]
    assert dearer == pytest.approx([0, 0, 2 * 744 * 5, 2 * 720 * 5, *np.zeros(8)], rel=1e-9, abs=1e-6)
    assert done.monthly["credits_usd"] == pytest.approx([4 * 3 * 744, 4 * 3 * 672, *np.zeros(10)], rel=1e-9)


def test_an_event_without_an_enrolment_does_not_limit_the_site(make):
    inputs, site = make(
        gpus="",
        btc="10000000",
        more="[curtailment]\nenrolled_mw = 4\ncredit_usd_per_mwh = 100\nstart = 2026-07-01\n"
        "[[curtailment.event]]\nstart = 2026-03-03T12:00:00\nhours = 4\nlimit_mw = 1\n",
    )
    drawn = run_years(inputs, site, 1).activity().metered_mwh
    assert drawn.min() == pytest.approx(drawn[0])


def test_the_parts_of_a_year_add_up_to_the_year(tmp_path, full_site_text, devices):
    """Demand charge, leases and fixed cost are shared by hours; a month that is split pays on the peak of each part."""
    from sites.file.inputs import read_inputs

    path = tmp_path / "full.toml"
    path.write_text(full_site_text, encoding="utf-8")
    ((_, site),) = read_inputs(path, devices)
    bounds = [0, 24 * 31, 24 * 77 + 5, 24 * 200, site.hours]
    parts = [part_of_year(site, first, last) for first, last in pairwise(bounds)]
    whole, split = site_year(site), [site_year(part) for part in parts]
    assert sum(part.fixed_usd for part in split) == pytest.approx(whole.fixed_usd, rel=1e-12)
    shares = np.zeros(12)
    for part in parts:
        first = np.flatnonzero(site.calendar.billing == part.calendar.month[0])[0]
        shares[site.calendar.billing[first] :][: part.calendar.billed_frac.size] += part.calendar.billed_frac
    assert shares == pytest.approx(np.ones(12), rel=1e-12)
    flat = replace(site, demand_charge_usd_per_mw_month=0.0)
    pieces_net = sum(site_year(part_of_year(flat, first, last)).net_usd for first, last in pairwise(bounds))
    assert pieces_net == pytest.approx(site_year(flat).net_usd, rel=1e-9)


def test_a_site_without_phases_is_one_piece(make):
    _, site = make()
    assert pieces(site) == [site]


def test_overlapping_phases_above_the_interconnect_are_refused_in_one_line(make):
    second = '[[mining]]\nname = "phase 2"\ndevice = "air"\ncount = 8000\npool_fee_percent = 1\nstart = 2027-07-01\n'
    with pytest.raises(InputError) as refused:
        run_years(*make(more=second), 3)
    assert str(refused.value) == (
        "site 'Horizon': phases: expected at most the 30 MW of the interconnect at full load, got 32.03 MW from "
        "2027-07-01 on (miners 6.405, phase 2 25.62)"
    )
    statement(run_years(*make(more=second), 1))
    statement(run_years(*make(more=second, miners="end = 2027-06-30"), 3))


def test_a_single_year_of_a_site_with_phases_is_refused(make):
    _, site = make(miners="start = 2026-05-01")
    with pytest.raises(InputError, match=r"phases: expected a number of years \(\[horizon\] or --years\)"):
        site_year(site)


@pytest.mark.parametrize(
    ("parts", "expected"),
    [
        (
            {"miners": "start = 2027-01-01\nend = 2026-01-01"},
            "expected a day from start (2027-01-01) on, got 2026",
        ),
        ({"more": CONVERSION.replace('"miners"', '"minrs"'), "gpus": ""}, "expected the name of a block, got 'minrs'"),
        ({"more": CONVERSION, "gpus": "start = 2027-01-01"}, "expected a block without a start of its own"),
        ({"more": CONVERSION.replace('"gpus"', '"miners"')}, "expected another block than 'miners', got the same"),
        ({"more": CONVERSION.replace("= 80", "= 201"), "gpus": ""}, "expected at most lead_days (200), got 201"),
    ],
)
def test_a_faulty_phase_is_refused_in_one_line(make, parts, expected):
    with pytest.raises(InputError) as refused:
        make(**parts)
    assert expected in str(refused.value)
    assert "\n" not in str(refused.value)


def test_a_phase_begins_at_local_midnight(make):
    inputs, site = make(miners="start = 2026-06-10")
    assert site.mining[0].service.start_s == datetime(2026, 6, 10, 4, tzinfo=UTC).timestamp()
    done = run_years(inputs, site, 1).activity()
    working = np.flatnonzero(done.metered_mwh)
    assert working[0] == (date(2026, 6, 10) - date(2026, 1, 1)).days * 24 - 1


MORE_GPUS = """
[[inference]]
name = "more"
figure = "llama-3.3-70b-fp8-h200-1000-1000"
provisioned_w_per_gpu = 1275
gpus = 100
demand_percent = 50
usd_per_gpu_hour = 1.5
"""
AGAIN = """[[horizon.conversion]]
block = "miners"
into = "more"
start = 2027-07-01
percent = 30
"""


def test_conversions_of_a_block_take_shares_of_all_its_devices(state):
    """25 % and then 30 % of the miners: 45 % remain, and nothing if the two take all."""
    done = state(3, btc="10000000", gpus="", more=CONVERSION + AGAIN + MORE_GPUS, timezone="UTC")
    mwh = block(done, "miners")["facility_mwh"]
    assert mwh[24] / mwh[0] == pytest.approx(0.45, rel=1e-9)
    done = state(3, btc="10000000", gpus="", more=CONVERSION + AGAIN.replace("30", "75") + MORE_GPUS, timezone="UTC")
    assert block(done, "miners")["facility_mwh"][24] == 0.0


@pytest.mark.parametrize(
    ("more", "miners", "line"),
    [
        (
            CONVERSION + AGAIN.replace("30", "80") + MORE_GPUS,
            "",
            "conversion[1].percent: expected at most 100 per cent of 'miners' in all its conversions, got 105",
        ),
        (
            CONVERSION + AGAIN.replace("more", "gpus"),
            "",
            "conversion[1].into: expected a block that no other conversion begins, got 'gpus'",
        ),
        (
            CONVERSION.replace("2026-07-01", "2025-07-01"),
            "",
            "conversion[0].start: expected a day from 2026-01-01 on, the start of the site, got '2025-07-01'",
        ),
        (
            CONVERSION,
            "end = 2026-09-30",
            "conversion[0].block: expected a block in service on 2026-10-29, when its converted power goes off, got",
        ),
        (
            CONVERSION.replace("200", "2000"),
            "",
            "'gpus': key start: expected a first day in service before 2029-01-01, the end of the horizon, got",
        ),
        (
            CONVERSION,
            "end = 2025-12-31",
            "'miners': key end: expected a last day in service from 2026-01-01 on, the start of the site, got",
        ),
        (CONVERSION, "resale_usd = 5", "resale_usd: expected end together with it, the day on which it is income"),
    ],
)
def test_what_can_never_be_in_service_is_refused_in_one_line(make, more, miners, line):
    with pytest.raises(InputError) as refused:
        make(gpus="", more=more, miners=miners)
    (fault,) = refused.value.faults
    assert line in fault
