"""A later year of a site has its own calendar, difficulty and age, and the first year's prices, weather and events."""

from dataclasses import replace
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import numpy as np
import pytest

from hardware_profiles.errors import InputError
from sites.dispatch.later_year import REPEATED, later_year
from sites.file.build import load_site
from sites.file.inputs import read_inputs
from sites.hours.calendar import year_of_horizon
from sites.market.bitcoin import stretches


@pytest.fixture
def build(tmp_path, small_site_file, devices):
    def build(start="2026-01-01", timezone="America/New_York", **more):
        text = small_site_file.read_text(encoding="utf-8").replace(
            'name = "Small"\n', f'name = "Small"\ntimezone = "{timezone}"\n'
        )
        head, _, tail = text.partition("start = ")
        path = tmp_path / "later.toml"
        path.write_text(head + f"start = {start}\n" + tail.partition("\n")[2], encoding="utf-8")
        return replace(load_site(path, devices), **more)

    return build


@pytest.mark.parametrize("zone", ["UTC", "America/New_York", "Asia/Kolkata", "Australia/Sydney"])
@pytest.mark.parametrize("start", ["2026-01-01", "2026-03-10", "2027-07-01", "2028-02-29", "2026-11-03"])
def test_ten_years_follow_one_another_without_a_gap_and_begin_at_local_midnight(zone, start):
    """The years that begin in a week in which the clock changes have an hour more or less."""
    day = datetime.fromisoformat(start).date()
    end_s = year_of_horizon(day, zone, 0).start_s
    for year in range(10):
        calendar = year_of_horizon(day, zone, year)
        first = datetime.fromtimestamp(calendar.start_s, ZoneInfo(zone))
        assert calendar.start_s == end_s
        assert (first.year, first.hour, first.minute) == (day.year + year, 0, 0)
        end_s += 3600 * calendar.hours
        assert calendar.hours - 24 * (calendar.hours // 24) in {0, 1, 23}
        assert calendar.day_of_year[-1] in {364, 365}


def test_every_hour_has_what_the_first_year_had_on_the_same_local_day_and_hour(build):
    """Across changes of the clock on other days and a leap year; 29 February has the values of the 28th."""
    site = build()
    zone = ZoneInfo(site.timezone)
    named = {}
    for step in reversed(range(site.calendar.steps)):
        local = datetime.fromtimestamp(site.start_s + 3600 * step, zone)
        named[local.month, local.day, local.hour] = step
    marked = replace(site, **{name: np.arange(8760.0) for name in REPEATED})
    for year in (1, 2, 5):
        later = later_year(marked, year)
        assert later.hours == (8784 if 2026 + year == 2028 else 8760)
        for step in range(0, later.hours, 7):
            local = datetime.fromtimestamp(later.start_s + 3600 * step, zone)
            day = 28 if (local.month, local.day) == (2, 29) else local.day
            expected = named.get((local.month, day, local.hour), named[local.month, day, max(local.hour - 1, 0)])
            for name in REPEATED:
                assert getattr(later, name)[step] == expected


def test_weekdays_are_those_of_the_year(build):
    for year in range(1, 4):
        later = later_year(build(), year)
        local = datetime.fromtimestamp(later.start_s, ZoneInfo(later.timezone))
        assert later.calendar.how[0] // 24 == local.weekday()


def test_the_difficulty_goes_on_and_a_halving_falls_into_its_hour(build):
    """The reward of a year that holds a halving is the integral over its stretches."""
    from sites.dispatch.problem import site_reward_btc_per_hash

    site = build()
    later = later_year(site, 2)
    assert datetime.fromtimestamp(later.start_s, UTC).year == 2028
    parts = stretches(later.start_s, later.start_s + 3600 * later.hours, later.path)
    assert len({part.subsidy_sat for part in parts}) == 2
    mean = sum((part.end_s - part.start_s) * part.subsidy_sat / part.hashes_per_block for part in parts) / 1e8
    assert site_reward_btc_per_hash(later).sum() * 3600 == pytest.approx(mean, rel=1e-12)


def test_fees_in_bitcoin_do_not_halve(build):
    """Their share of the subsidy doubles at the halving."""
    site = build(fees_btc_per_block=0.05)
    before, after = later_year(site, 1).fees_frac, later_year(site, 3).fees_frac
    assert after == pytest.approx(2.0 * before[0], rel=1e-9)


def test_growth_and_age_count_real_hours(tmp_path, full_site_text, devices):
    path = tmp_path / "full.toml"
    path.write_text(full_site_text, encoding="utf-8")
    ((_, site),) = read_inputs(path, devices)
    later = later_year(site, 3)
    years = (later.start_s - site.start_s) / 3600 / 8766
    for block, before in zip(later.mining, site.mining, strict=True):
        assert block.age_years == pytest.approx(before.age_years + years)
    for block, before in zip(later.inference, site.inference, strict=True):
        assert block.demand_frac == pytest.approx(before.demand_frac * (1 + before.growth_frac_per_year) ** years)


def test_a_site_in_shorter_steps_is_refused(build):
    site = build()
    short = replace(site, calendar=replace(site.calendar, step_s=900))
    with pytest.raises(InputError, match="a horizon: expected site 'Small' in hours"):
        later_year(short, 1)
