"""The dispatch in steps shorter than hours: equal to its linear programme, and to the hourly one if nothing differs."""

import time
from dataclasses import replace
from datetime import UTC, date, datetime

import numpy as np
import pytest

from hardware_profiles.errors import InputError
from sites.dispatch.columns import BLOCK, SUM
from sites.dispatch.merit_order import dispatch
from sites.dispatch.problem import problem
from sites.dispatch.waterfall import waterfalls
from sites.dispatch.year import site_year, summarise
from sites.file.inputs import read_inputs
from sites.hours.calendar import local_year
from sites.hours.power import limit_series
from sites.native import native_gap
from sites.planners.package import write_package
from sites.planners.plan import plan_table
from sites.plots.files import year_files
from sites.scenarios.case import site_case
from sites.scenarios.defaults import default_model

QUARTER_H = 0.25


def as_steps(hourly_problem, step_h):
    """Take the rows of a problem as steps of a given length."""
    return hourly_problem._replace(step_h=step_h)


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("step_h", [0.25, 1 / 12])
@pytest.mark.parametrize("given", [{}, {"contract_mw": 17.0}, {"tenant": True}], ids=["plain", "contract", "tenant"])
def test_a_month_of_short_steps_equals_its_linear_programme(make_problem, solve_lp, seed, step_h, given):
    """With demand charge, idle power, promised work, events and negative prices."""
    for charge in (900.0, 9_000.0):
        steps = as_steps(make_problem(seed=seed, hours=1460, charge=charge, **given), step_h)
        assert dispatch(steps).net_usd == pytest.approx(solve_lp(steps), rel=1e-9)


@pytest.mark.parametrize("step_h", [1.0, 0.25])
def test_work_whose_price_changes_equals_its_linear_programme(make_problem, solve_lp, step_h):
    """Promised and on-demand work of two blocks. One has a price over time, and its penalties follow that price."""
    given = make_problem(hours=730, charge=4_000.0, contract_mw=9.0)
    path = np.random.default_rng(5).uniform(0.1, 2.5, (1, 730))
    given.blocks[np.flatnonzero(given.parts.worth == 130.0), BLOCK.price_path] = 1.0
    steps = as_steps(given._replace(price_paths=path), step_h)
    assert (steps.over_mean == 1.0).all(axis=1).sum() == len(steps.blocks) - 2
    done = dispatch(steps)
    assert done.net_usd == pytest.approx(solve_lp(steps), rel=1e-9)
    assert done.net_usd != pytest.approx(dispatch(steps._replace(price_paths=np.ones((1, 730)))).net_usd, rel=1e-3)


def test_a_quarter_of_an_hour_four_times_is_the_hour(make_problem):
    """Growth, demand charge, penalties, contract and programme included; growth is by the step, so it differs a bit."""
    hours = make_problem(hours=730, charge=9_000.0, contract_mw=12.0, enrolled_mw=30.0)
    hours.blocks[:, BLOCK.growth_log_per_hour] = 0.0
    programme = hours.programme
    quarters = hours._replace(
        how=np.repeat(hours.how, 4),
        month=np.repeat(hours.month, 4),
        series=np.repeat(hours.series, 4, axis=1),
        event=np.repeat(hours.event, 4),
        programme=programme._replace(
            load_limit_mw=np.repeat(programme.load_limit_mw, 4),
            credit_usd_per_mwh=np.repeat(programme.credit_usd_per_mwh, 4),
        ),
        step_h=QUARTER_H,
    )
    whole, parts = dispatch(hours), dispatch(quarters)
    assert parts.net_usd == pytest.approx(whole.net_usd, rel=1e-11)
    assert parts.blocks == pytest.approx(whole.blocks, rel=1e-11)
    assert parts.peaks_mw == pytest.approx(whole.peaks_mw, rel=1e-11)
    for name in ("bought_mwh", "sold_usd", "penalty_usd", "forgone_usd", "drawn_mwh", "contract_usd", "resale_hours"):
        assert getattr(parts, name) == pytest.approx(getattr(whole, name), rel=1e-11)


def test_growth_is_that_of_the_time_that_has_passed(make_problem):
    steps = as_steps(make_problem(hours=400, idle=False, sla=False), QUARTER_H)
    steps.blocks[:, BLOCK.growth_log_per_hour] = 0.0
    steps.blocks[0, BLOCK.growth_log_per_hour] = -1e-3
    steps.series[0] = -1e4  # everything runs
    done = dispatch(steps, hourly=True)
    expected = (done.mw[:, 0] * np.exp(-1e-3 * QUARTER_H * np.arange(400))).sum() * QUARTER_H
    assert done.blocks[0, SUM.units] == pytest.approx(expected * steps.parts.units_per_mwh[0], rel=1e-11)


PRICES = """[price.hourly]
file = 'prices.csv'
column = 'usd'
"""
ORIGINAL = """[price.time_of_use]
base_usd_per_mwh = 35
[[price.time_of_use.period]]
usd_per_mwh = 140
months = [6, 7, 8, 9]
weekdays = [0, 1, 2, 3, 4]
from_hour = 14
to_hour = 20
[[price.time_of_use.period]]
usd_per_mwh = -12
from_hour = 1
to_hour = 4
months = [3, 4]
"""


def quarter_usd(quarter, spread):
    return 40.0 + 30.0 * np.sin(quarter // 4 / 3.7) + spread * np.sin(quarter * 2.1)


@pytest.fixture
def priced(full_site_file, resolve):
    """Write the site with everything and a file of prices, and read it, in hours or native."""

    def load(minutes=15, spread=40.0, *, native=False):
        calendar = local_year(date(2026, 1, 1), "America/New_York")
        each = minutes // 15
        quarters = quarter_usd(np.arange(calendar.hours * 4), spread).reshape(-1, each).mean(axis=1)
        rows = [
            f"{datetime.fromtimestamp(calendar.start_s + 60 * minutes * row, UTC):%Y-%m-%dT%H:%MZ},{usd!r}"
            for row, usd in enumerate(quarters.tolist())
        ]
        full_site_file.with_name("prices.csv").write_text("\n".join(["time,usd", *rows]), encoding="utf-8")
        text = full_site_file.read_text(encoding="utf-8")
        if ORIGINAL in text:
            full_site_file.write_text(text.replace(ORIGINAL, PRICES), encoding="utf-8")
        ((inputs, site),) = read_inputs(full_site_file, resolve, native=native)
        return inputs, site

    return load


def test_a_native_month_of_a_site_with_everything_equals_its_linear_programme(priced, solve_lp):
    """Demand charge, contract, coincident peaks, programme, events, promised work, negative prices."""
    _, site = priced(native=True)
    assert (site.calendar.step_s, site.calendar.steps, site.hours) == (900, 35_040, 8760)
    assert site.spot_usd_per_mwh.min() < 0.0
    whole = problem(site)
    month = whole.month == 6
    first = int(month.argmax())
    growth = np.exp(whole.parts.growth_log_per_hour * first * QUARTER_H)
    blocks = whole.blocks.copy()
    blocks[:, BLOCK.worth] *= np.where(whole.parts.kind == 0, growth, 1.0)
    blocks[:, BLOCK.demand_mw] *= growth
    july = whole._replace(
        how=whole.how[month],
        month=np.zeros(month.sum(), np.int64),
        series=np.ascontiguousarray(whole.series[:, month]),
        blocks=blocks,
        charges_usd_per_mw=whole.charges_usd_per_mw[6:7],
        event=whole.event[month],
        programme=whole.programme._replace(
            load_limit_mw=whole.programme.load_limit_mw[month],
            credit_usd_per_mwh=whole.programme.credit_usd_per_mwh[month],
        ),
    )
    assert july.charges_usd_per_mw[0] > 0.0
    done = dispatch(july)
    passed = july.parts.passes_energy > 0.0  # a tenant's energy is no part of the programme's objective twice
    assert passed.any()
    assert done.net_usd == pytest.approx(solve_lp(july), rel=1e-9)
    assert done.peaks_mw[0] == pytest.approx(dispatch(whole).peaks_mw[6], rel=1e-9)


def test_a_native_year_of_hourly_prices_is_the_hourly_year(priced):
    _, hours = priced(60)
    _, native = priced(60, native=True)
    assert native.calendar.step_s == 3600
    assert site_year(native).net_usd == site_year(hours).net_usd


def test_quarters_of_one_price_give_the_hourly_year(priced, full_site_file):
    """Outages, events and peaks of whole hours; only growth is finer."""
    text = full_site_file.read_text(encoding="utf-8")
    peaks = "usd_per_kw_year = 50"
    assert peaks in text
    full_site_file.write_text(text.replace(peaks, f"{peaks}\npeak_minutes = 60"), encoding="utf-8")
    _, hours = priced(15, 0.0)
    _, native = priced(15, 0.0, native=True)
    coarse, fine = site_year(hours), site_year(native)
    for name in ("revenue_usd", "energy_usd", "metered_mwh", "credits_usd", "penalty_usd", "demand_charge_usd"):
        assert getattr(fine, name) == pytest.approx(getattr(coarse, name), rel=2e-4), name
    assert summarise(fine).btc_per_day == pytest.approx(summarise(coarse).btc_per_day, rel=2e-4)


def test_the_native_waterfall_meets_the_native_dispatch(priced):
    _, native = priced(native=True)
    year = site_year(native, hourly=True)
    for fall in waterfalls(year):
        assert fall.steps[-3].mwh == pytest.approx(fall.delivered_mwh, rel=1e-9)
        assert fall.steps[-1].usd == pytest.approx(fall.sold_usd, rel=1e-9)


def test_the_native_year_is_worth_more_by_what_hourly_means_leave_out(priced):
    inputs, site = priced()
    gap = native_gap(inputs, site_year(site))
    native = site_year(replace(inputs, native=True).site())
    assert (gap.step_minutes, gap.net_usd) == (15, native.net_usd)
    assert gap.more_usd == pytest.approx(native.net_usd - site_year(site).net_usd, rel=1e-12)
    assert gap.more_usd > 1e5


def test_hourly_prices_leave_no_gap(priced):
    inputs, site = priced(60)
    assert native_gap(inputs, site_year(site)) is None


def test_a_coincident_peak_takes_only_its_own_quarter(edited, tmp_path, resolve):
    """A block that avoids a peak of 15 minutes is off for 15 minutes, not for the hour that holds it."""
    rows = [f"{datetime.fromtimestamp(1_767_225_600 + 900 * row, UTC):%Y-%m-%dT%H:%MZ},40" for row in range(8760 * 4)]
    (tmp_path / "prices.csv").write_text("\n".join(["time,usd", *rows]), encoding="utf-8")
    hourly = "[price.hourly]\nfile = 'prices.csv'\ncolumn = 'usd'\n"
    peak = "[price.coincident]\nusd_per_kw_year = 60\npeak_minutes = 15\nhours = [2026-07-10T22:15:00Z]\n"
    coarse = edited("energy_usd_per_mwh = 40\n", hourly + peak)
    ((_, fine),) = read_inputs(tmp_path / "edited.toml", resolve, native=True)
    for site, wanted in ((coarse, 1.0), (fine, 0.25)):
        off = (site_year(site, hourly=True).dispatch.mw[:, 0] == 0.0).sum() * site.calendar.step_h
        assert off == wanted


def test_an_outage_of_minutes_takes_its_own_steps():
    calendar = local_year(date(2026, 1, 1), "UTC", 900)
    limit, cause = limit_series(calendar, 40.0, [(calendar.start_s + 900, 0.5, 0.0)], [])
    assert limit[:4].tolist() == [40.0, 0.0, 0.0, 40.0]
    assert cause[:4].tolist() == [0, 2, 2, 0]


def test_what_takes_hours_refuses_a_native_year_by_name(priced, tmp_path):
    inputs, site = priced(native=True)
    year = site_year(site, hourly=True)
    expected = r"expected site 'Everything' in hours, got steps of 15 minutes"
    for refused in (
        lambda: plan_table(year),
        lambda: write_package(tmp_path / "out", [year], [inputs], version="test"),
        lambda: year_files([year], tmp_path),
        lambda: site_case(site, default_model()),
    ):
        with pytest.raises(InputError, match=expected):
            refused()


def test_a_year_of_quarters_takes_at_most_four_times_an_hourly_one(priced, full_site_file, resolve):
    """From the file of prices to the year; the processor is shared, so the shortest of several runs counts."""
    priced(15)

    def shortest_s(*, native):
        took = []
        for _ in range(4):
            begin = time.process_time()
            ((_, site),) = read_inputs(full_site_file, resolve, native=native)
            site_year(site)
            took.append(time.process_time() - begin)
        return min(took)

    assert shortest_s(native=True) < 4.0 * shortest_s(native=False)
