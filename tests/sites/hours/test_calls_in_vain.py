"""Days on which a site curtails for a coincident peak that does not come."""

from dataclasses import replace

import numpy as np
import pytest

from sites.dispatch.year import site_year
from sites.hours.prices import called_in_vain

COINCIDENT = """
[price.coincident]
usd_per_kw_year = 67
hours = [2026-06-30T17:00:00Z, 2026-07-29T16:00:00Z]
{more}
[cooling]"""
DAY = 86_400


def test_calls_are_on_the_days_nearest_to_the_peaks_and_at_their_times():
    first, second = 100 * DAY + 3600, 110 * DAY + 7200
    calls = called_in_vain([(first, 0.25), (second, 0.25)], 5)
    assert calls == [first + DAY, second + DAY, first - DAY, second - DAY, first + 2 * DAY]


def test_a_day_is_called_once_and_never_has_a_peak():
    first = 100 * DAY
    calls = called_in_vain([(first, 0.25), (first + DAY, 0.25)], 6)
    days = [call // DAY for call in calls]
    assert len(set(days)) == 6
    assert not {100, 101} & set(days)


@pytest.mark.parametrize(("days", "hours", "lost"), [(0, 1, 0), (12, 1, 12), (12, 3, 36)])
def test_each_call_costs_the_hours_that_it_lasts(edited, days, hours, lost):
    more = f"called_days_without_peak = {days}\ncalled_hours_per_day = {hours}"
    known = site_year(edited("[cooling]", COINCIDENT.format(more="")), hourly=True)
    called = site_year(edited("[cooling]", COINCIDENT.format(more=more)), hourly=True)
    extra = ((known.dispatch.mw > 0) & (called.dispatch.mw == 0)).all(axis=1).sum()
    assert extra == lost
    assert (called.net_usd < known.net_usd) == (lost > 0)


def test_the_risked_charge_is_no_cost_of_power(edited):
    """A site that runs on through the calls (its contract forbids to stop) pays nothing for them."""
    site = edited("[cooling]", COINCIDENT.format(more="called_days_without_peak = 4"))
    without = replace(site, peak_risk_usd_per_mwh=np.zeros(site.hours))
    called, known = site_year(site), site_year(without)
    per_mwh = known.energy_usd / known.metered_mwh
    assert called.energy_usd / called.metered_mwh == pytest.approx(per_mwh, rel=0.01)


def test_the_notes_say_how_many_hours_are_lost(edited):
    site = edited("[cooling]", COINCIDENT.format(more="called_days_without_peak = 4"))
    assert any("curtails in 4 hours" in note for note in site.notes)
    assert not any("curtails" in note for note in edited("[cooling]", COINCIDENT.format(more="")).notes)
