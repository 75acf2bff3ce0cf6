"""The series for SAM: exactly the local 29 February left out, cost over what remains, everything clipped said."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import numpy as np
import pytest

from sites.dispatch.parts import meter_of_parts
from sites.dispatch.year import site_year
from sites.file.inputs import read_inputs
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
