"""Years of every zone: hours of the local clock, fiscal and leap years, and series of other clocks."""

from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import numpy as np
import pytest

from sites.dispatch.year import site_year
from sites.file.build import load_site
from sites.file.inputs import read_inputs
from sites.file.series import Span, read_series
from sites.hours.calendar import local_year
from sites.hours.clock import Clock
from sites.planners.package import write_package
from sites.planners.plan import write_plan

ZONES = ["Asia/Kolkata", "Asia/Kathmandu", "Australia/Adelaide", "Australia/Lord_Howe", "America/St_Johns"]
HALF_HOURS = ["Asia/Kolkata", "Asia/Kathmandu", "Australia/Adelaide"]
LABELS = {
    "UTC": lambda at, _: at.strftime("%Y-%m-%dT%H:%MZ"),
    "offset": lambda at, zone: at.astimezone(zone).isoformat(),
    "local": lambda at, zone: at.astimezone(zone).strftime("%Y-%m-%d %H:%M"),
}


def truth(quarter):
    """Return the price of a quarter of an hour since 1970."""
    return (quarter * 7919 % 193) - 20.0


def mean_usd(start_s, length_s):
    """Return the mean price of an interval of whole quarters."""
    quarters = range(start_s // 900, (start_s + length_s) // 900)
    return sum(map(truth, quarters)) / len(quarters)


def write_series(path, zone, starts_s, label):
    """Write rows at a range of starts, whose step is their length."""
    times = (LABELS[label](datetime.fromtimestamp(at_s, UTC), zone) for at_s in starts_s)
    rows = [f"{time},{mean_usd(at_s, starts_s.step)!r}" for time, at_s in zip(times, starts_s, strict=True)]
    path.write_text("\n".join(["time,usd", *rows]), encoding="utf-8")


def read(path, calendar, zone):
    return read_series(path, "usd", Span(calendar.start_s, calendar.hours), clock=Clock.of(zone))


@pytest.mark.parametrize("zone", ZONES)
@pytest.mark.parametrize("start", [date(2025, 1, 1), date(2025, 4, 1), date(2027, 7, 1), date(2028, 2, 29)])
def test_a_year_begins_at_local_midnight_and_its_hours_are_those_of_the_local_clock(zone, start):
    calendar = local_year(start, zone)
    first = datetime.fromtimestamp(calendar.start_s, ZoneInfo(zone))
    assert (first.date(), first.hour, first.minute) == (start, 0, 0)
    for hour in range(0, calendar.hours, 97):
        local = datetime.fromtimestamp(calendar.start_s + 3600 * hour, ZoneInfo(zone))
        shown = (local.weekday() * 24 + local.hour, local.hour, local.month - 1)
        assert (calendar.how[hour], calendar.hour[hour], calendar.month[hour]) == shown
    assert calendar.hours == (8784 if start.year in {2027, 2028} else 8760)
    assert np.unique(calendar.billing).tolist() == list(range(13 if start.day > 1 else 12))


@pytest.mark.parametrize("zone", HALF_HOURS)
@pytest.mark.parametrize("minutes", [15, 60])
def test_a_series_in_utc_and_one_in_local_time_are_the_same_year(tmp_path, zone, minutes):
    """Also a naive one, where the clock never changes; rows of an hour are those of the local clock."""
    calendar, clock = local_year(date(2025, 4, 1), zone), ZoneInfo(zone)
    end_s = calendar.start_s + 3600 * calendar.hours
    expected = [mean_usd(calendar.start_s + 3600 * hour, 3600) for hour in range(calendar.hours)]
    for label in LABELS if zone != "Australia/Adelaide" else ("UTC", "offset"):
        write_series(tmp_path / "prices.csv", clock, range(calendar.start_s, end_s, 60 * minutes), label)
        assert read(tmp_path / "prices.csv", calendar, zone) == pytest.approx(expected, rel=1e-12, abs=1e-12)


@pytest.mark.parametrize(("zone", "share"), [("Asia/Kolkata", 0.5), ("Asia/Kathmandu", 0.75), ("Asia/Dubai", 1.0)])
def test_hours_of_utc_are_split_by_time_over_the_hours_of_the_local_clock(tmp_path, zone, share):
    """`share` is the part of a local hour that lies in the first of its two UTC hours."""
    calendar = local_year(date(2025, 1, 1), zone)
    begin_s = calendar.start_s // 3600 * 3600
    write_series(tmp_path / "prices.csv", UTC, range(begin_s, begin_s + 3600 * (calendar.hours + 1), 3600), "UTC")
    hours = np.array([mean_usd(begin_s + 3600 * hour, 3600) for hour in range(calendar.hours + 1)])
    expected = share * hours[:-1] + (1.0 - share) * hours[1:]
    assert read(tmp_path / "prices.csv", calendar, zone) == pytest.approx(expected, abs=1e-12)


def test_rows_of_other_years_are_ignored(tmp_path):
    """A file from 2024 to 2026 gives the fiscal year from April 2025, and the leap year 2024."""
    zone = "Asia/Kolkata"
    begin_s, end_s = (int(datetime(year, 1, 1, tzinfo=ZoneInfo(zone)).timestamp()) for year in (2024, 2027))
    write_series(tmp_path / "prices.csv", ZoneInfo(zone), range(begin_s, end_s, 3600), "offset")
    for start, hours in ((date(2025, 4, 1), 8760), (date(2024, 1, 1), 8784), (date(2024, 7, 1), 8760)):
        calendar = local_year(start, zone)
        assert calendar.hours == hours
        expected = [mean_usd(calendar.start_s + 3600 * hour, 3600) for hour in range(hours)]
        assert read(tmp_path / "prices.csv", calendar, zone) == pytest.approx(expected, rel=1e-12)


IN_KOLKATA = ('name = "Small"\n', 'name = "Small"\ntimezone = "Asia/Kolkata"\n')
HOURLY = ("energy_usd_per_mwh = 40\n", "[price.hourly]\nfile = 'prices.csv'\ncolumn = 'usd'\n")


def kolkata(small_site_file, begin_s, end_s, label):
    text = small_site_file.read_text(encoding="utf-8")
    for old, new in (IN_KOLKATA, HOURLY):
        assert old in text
        text = text.replace(old, new)
    path = small_site_file.with_name("kolkata.toml")
    path.write_text(text, encoding="utf-8")
    write_series(path.with_name("prices.csv"), ZoneInfo("Asia/Kolkata"), range(begin_s, end_s, 3600), label)
    return path


def test_the_plan_of_a_site_at_half_past_is_labelled_so_and_reads_back_as_its_series(
    small_site_file, tmp_path, resolve
):
    calendar = local_year(date(2026, 1, 1), "Asia/Kolkata")
    path = kolkata(small_site_file, calendar.start_s, calendar.start_s + 3600 * 8760, "local")
    ((inputs, site),) = read_inputs(path, resolve)
    year = site_year(site, hourly=True)
    write_plan([year], tmp_path / "plan.csv")
    _, first, second, *_ = (tmp_path / "plan.csv").read_text(encoding="utf-8-sig").splitlines()
    assert '"2025-12-31T18:30:00Z","2026-01-01T00:00:00+05:30"' in first
    assert '"2025-12-31T19:30:00Z","2026-01-01T01:00:00+05:30"' in second
    again = read_series(tmp_path / "plan.csv", "price_usd_per_mwh", Span(site.start_s, site.hours))
    assert again.tolist() == year.in_hours()[2].tolist()
    write_package(tmp_path / "out", [year], [inputs], version="test", sam=True)
    (snapshots,) = (tmp_path / "out").rglob("snapshots.csv")
    assert snapshots.read_text(encoding="utf-8").splitlines()[1].startswith("2025-12-31 18:30:00,")


def test_a_site_at_half_past_says_that_hours_of_utc_are_split(small_site_file, resolve):
    calendar = local_year(date(2026, 1, 1), "Asia/Kolkata")
    begin_s = calendar.start_s - 1800
    site = load_site(kolkata(small_site_file, begin_s, begin_s + 3600 * 8761, "UTC"), resolve)
    assert "prices.csv begin within the hours of the site's clock: time-weighted hourly means" in site.notes[0]
    assert site.spot_usd_per_mwh[0] == pytest.approx(mean_usd(calendar.start_s - 1800, 7200), rel=1e-12)
