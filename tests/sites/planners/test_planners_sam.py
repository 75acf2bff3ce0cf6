"""The series for SAM: exactly the local 29 February left out, cost over what remains, everything clipped said."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import numpy as np
import pytest

from bench.device_rates import resolve_device
from hardware_profiles.reading import validate
from sites.dispatch.parts import meter_of_parts
from sites.dispatch.year import site_year
from sites.file.build import build_site
from sites.file.inputs import read_inputs
from sites.file.site_file import SiteFile
from sites.planners.package import write_package
from sites.planners.sam import cost_hourly, leap_day, merchant_plant, year_of_8760


def dated(start, zone):
    return f'start = {start}\ntimezone = "{zone}"'


def year_from(edited, start, zone):
    return site_year(edited("start = 2026-01-01", dated(start, zone)), hourly=True)


@pytest.mark.parametrize(
    ("start", "zone"),
    [
        ("2028-01-01", "America/New_York"),
        ("2027-03-01", "Asia/Tokyo"),
        ("2028-02-29", "Europe/Berlin"),
        ("2028-01-01", "Asia/Kolkata"),
        ("2028-01-01", "UTC"),
    ],
)
def test_exactly_the_local_29_february_is_left_out(edited, start, zone):
    year = year_from(edited, start, zone)
    hours = [datetime.fromtimestamp(year.site.start_s + 3600 * t, tz=UTC) for t in np.flatnonzero(leap_day(year))]
    local = [hour.astimezone(ZoneInfo(zone)) for hour in hours]
    assert {(when.month, when.day) for when in local} == {(2, 29)}
    assert len(local) == 24
    series = year_of_8760(year)
    assert series.draw_kw.size == series.usd_per_mwh.size == 8760
    assert "29 February (local time) is left out" in series.notes[0]
    assert len(merchant_plant(series)["SystemOutput"]["gen"]) == 25 * 8760


@pytest.mark.parametrize(("start", "zone"), [("2024-01-01", "Asia/Almaty"), ("2015-03-01", "America/Montevideo")])
def test_a_year_whose_clock_changes_do_not_cancel_has_8760_hours_too(edited, start, zone):
    series = year_of_8760(year_from(edited, start, zone))
    assert series.draw_kw.size == series.usd_per_mwh.size == 8760


def test_a_year_without_a_leap_day_loses_nothing(edited):
    year = year_from(edited, "2026-03-01", "Asia/Tokyo")
    series = year_of_8760(year)
    assert series.draw_kw.sum() == pytest.approx(1000.0 * year.metered_mwh, rel=1e-12)
    assert series.notes == ()


def test_hourly_costs_add_up_to_the_years(full_year):
    meter_mw = full_year.dispatch.mw * meter_of_parts(full_year.site, full_year.labels).T
    wanted = full_year.energy_usd - full_year.demand_charge_usd + full_year.penalty_usd - full_year.credits_usd
    assert full_year.penalty_usd > 0
    assert full_year.resale_usd > 0
    assert cost_hourly(full_year, meter_mw).sum() == pytest.approx(wanted, rel=1e-9)


def test_cost_is_that_of_the_hours_that_remain(edited):
    flat = year_of_8760(site_year(edited("start = 2026-01-01", "start = 2028-01-01"), hourly=True))
    assert flat.om_usd_per_mwh == pytest.approx(40.0, rel=1e-12)


def test_negative_revenue_is_counted_as_0_and_said(full_year, monkeypatch):
    from sites.planners import sam

    revenue, worth = sam.revenue_hourly(full_year, np.ones_like(full_year.dispatch.mw))
    revenue[:5] = -2.0
    monkeypatch.setattr(sam, "revenue_hourly", lambda *_: (revenue, worth))
    series = year_of_8760(full_year)
    said = f"counts as 0 in the series for SAM: {10 * len(full_year.labels)} USD in 5 hours"
    assert said in series.notes[-1]
    assert (series.usd_per_mwh[:5] == 0).all()


def test_the_notes_of_the_series_are_the_runs(small_site_file, resolve, tmp_path):
    text = small_site_file.read_text(encoding="utf-8")
    small_site_file.write_text(text.replace("2026-01-01", "2028-01-01"), encoding="utf-8")
    ((inputs, site),) = read_inputs(small_site_file, resolve)
    notes = write_package(tmp_path / "out", [site_year(site, hourly=True)], [inputs], version="test")
    assert any("29 February (local time) is left out" in note for note in notes)


RATE = {
    "tokens_per_s": 2500, "power_w": 1250, "boundary": "node", "power_kind": "provisioned", "token_basis": "output",
    "lengths": "1000:1000", "latency_limit": "TPOT <= 40 ms",
}  # fmt: skip


def leased(*outages, demand_percent=100):
    """Return a year of a site that is let by the kW, with outages, a contract and a fixed cost."""
    document = {
        "site": {"name": "colo", "timezone": "UTC", "start": "2027-01-01"},
        "power": {"interconnect_mw": 10, "outage": [{"start": start, "hours": hours} for start, hours in outages]},
        "cooling": {"gpu_pue": 1.3},
        "price": {"energy_usd_per_mwh": 60, "contract": {"mw": 2, "usd_per_mwh": 55, "resale_discount_usd_per_mwh": 3}},
        "market": {"btc_usd": 100000, "fees_percent_of_subsidy": 2},
        "cost": {"fixed_usd_per_year": 500_000},
        "inference": [
            {"name": "hall", "rate": RATE, "gpus": 4000, "demand_percent": demand_percent, "usd_per_kw_month": 120}
        ],
    }
    return site_year(build_site(validate(SiteFile, document, "colo.toml"), resolve_device, "colo.toml"), hourly=True)


def sums(series):
    mwh = series.draw_kw / 1000.0
    return mwh @ series.usd_per_mwh, mwh.sum() * series.om_usd_per_mwh + series.fixed_usd


@pytest.mark.parametrize(
    ("outages", "hours"),
    [
        ([("2027-03-01T00:00:00Z", 48)], 48),
        ([("2027-02-01T00:00:00Z", 28 * 24), ("2027-06-10T00:00:00Z", 5)], 28 * 24 + 5),  # a month without draw
    ],
)
def test_the_series_add_up_to_the_year_with_the_rent_of_hours_without_draw(outages, hours):
    year = leased(*outages)
    series = year_of_8760(year)
    revenue, cost = sums(series)
    assert revenue == pytest.approx(year.revenue_usd, rel=1e-9)
    assert revenue - cost == pytest.approx(year.net_usd, rel=1e-9)
    (note,) = series.notes
    assert f"of rent in {hours} hours without draw are counted in the drawn hours of the same month" in note


def test_the_rent_stays_in_its_month():
    year = leased(("2027-03-01T00:00:00Z", 48))
    series, march = year_of_8760(year), year.site.calendar.month == 2
    earned = series.draw_kw * series.usd_per_mwh / 1000.0
    assert earned[march].sum() == pytest.approx(4000 * 1.25 * 120, rel=1e-9)


def test_a_year_without_draw_keeps_its_costs_and_says_which_rent_is_missing():
    year = leased(demand_percent=0)
    series = year_of_8760(year)
    assert sums(series) == (0.0, pytest.approx(year.revenue_usd - year.net_usd))
    (note,) = series.notes
    assert "7,200,000 USD of rent in 8760 hours without draw are not in the series, which has no draw" in note
