"""Times of a site file: local without an offset, exact with one, and refused where the local clock is not unique."""

from datetime import UTC, date, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hardware_profiles.errors import InputError
from sites.dispatch.year import site_year
from sites.file.series import Span, read_series
from sites.hours.calendar import first_hour_s, local_year
from sites.hours.clock import Clock

CHICAGO = Clock.of("America/Chicago")
ZONES = ["UTC", "America/Chicago", "America/Phoenix", "Asia/Kolkata", "Australia/Lord_Howe", "America/Asuncion"]


local = datetime.fromisoformat


def unix(text):
    return int(datetime.fromisoformat(text).timestamp())


def test_a_time_without_an_offset_is_local_and_one_with_an_offset_is_not():
    assert CHICAGO.unix_s(local("2025-06-30T17:00"), "x") == unix("2025-06-30T22:00:00+00:00")
    assert CHICAGO.unix_s(local("2025-01-30T17:00"), "x") == unix("2025-01-30T23:00:00+00:00")
    assert CHICAGO.unix_s(datetime(2025, 6, 30, 17, tzinfo=UTC), "x") == unix("2025-06-30T17:00:00+00:00")
    east = timezone(timedelta(hours=3))
    assert CHICAGO.unix_s(datetime(2025, 11, 2, 1, 30, tzinfo=east), "x") == unix("2025-11-01T22:30:00+00:00")
    assert CHICAGO.unix_s(date(2025, 7, 1), "x") == unix("2025-07-01T05:00:00+00:00")


def test_a_local_time_that_the_clock_skips_or_repeats_is_refused_by_name():
    with pytest.raises(InputError, match="x: expected a local time that exists once: 2025-03-09T02:30 does not exist"):
        CHICAGO.unix_s(local("2025-03-09T02:30"), "x")
    with pytest.raises(InputError) as error:
        CHICAGO.unix_s(local("2025-11-02T01:30"), "x")
    assert str(error.value).endswith(
        "2025-11-02T01:30 happens twice in America/Chicago; write the offset, "
        "2025-11-02T01:30-05:00 or 2025-11-02T01:30-06:00"
    )


def test_a_day_whose_midnight_is_skipped_begins_with_its_first_instant():
    clock = Clock.of("America/Asuncion")
    assert clock.unix_s(date(2023, 10, 1), "x") == unix("2023-10-01T04:00:00+00:00")


@given(st.datetimes(local("2015-01-01"), local("2035-01-01")), st.sampled_from(ZONES))
def test_every_local_time_that_is_read_is_the_one_that_the_clock_shows(when, name):
    clock = Clock.of(name)
    try:
        at_s = clock.unix_s(when, "x")
    except InputError as error:
        if "does not exist" in str(error):
            shown = when.replace(tzinfo=clock.zone).astimezone(UTC).astimezone(clock.zone)
            assert shown.replace(tzinfo=None) != when
            return
        first, second = (when.replace(tzinfo=clock.zone, fold=fold).timestamp() for fold in (0, 1))
        assert first < second
        return
    assert datetime.fromtimestamp(at_s, clock.zone).replace(tzinfo=None) == when.replace(microsecond=0)


TABLES = {
    "power.outage": "[[power.outage]]\nstart = {}\nhours = 1\n",
    "curtailment.event": "[curtailment]\n[[curtailment.event]]\nstart = {}\nhours = 1\nlimit_mw = 0\n",
    "price.coincident.hours": "[price.coincident]\nusd_per_kw_year = 60\nhours = [{}]\n",
}
IN_CHICAGO = ('name = "Small"\n', 'name = "Small"\ntimezone = "America/Chicago"\n')


@pytest.mark.parametrize("key", TABLES)
def test_outages_events_and_peaks_stand_still_in_their_local_hour_and_the_site_says_so(edited, key):
    naive, exact = (edited(*IN_CHICAGO, add=TABLES[key].format(at)) for at in
                    ("2026-07-10T17:00:00", "2026-07-10T22:00:00Z"))  # fmt: skip
    for site in (naive, exact):
        done = site_year(site, hourly=True).dispatch
        hour = (unix("2026-07-10T22:00:00+00:00") - site.start_s) // 3600
        assert [at for at in range(8760) if done.mw[at, 0] < 1.0] == [hour]
    (note,) = naive.notes
    assert note.startswith(f"times without an offset are local time in America/Chicago: {key}")
    assert exact.notes == ()


@pytest.mark.parametrize("key", TABLES)
def test_a_time_of_the_site_file_that_happens_twice_is_refused_with_its_key(edited, key):
    with pytest.raises(InputError, match=rf"edited.toml: key {key}\[0\].*2026-11-01T01:30 happens twice in America"):
        edited(*IN_CHICAGO, add=TABLES[key].format("2026-11-01T01:30:00"))
    with pytest.raises(InputError, match=rf"edited.toml: key {key}\[0\].*2026-03-08T02:30 does not exist in America"):
        edited(*IN_CHICAGO, add=TABLES[key].format("2026-03-08T02:30:00"))


def local_rows(name, year, clock):
    begin = first_hour_s(date(year, 1, 1), name)
    for hour in range(local_year(date(year, 1, 1), name).hours):
        yield hour, datetime.fromtimestamp(begin + 3600 * hour, clock.zone).strftime("%Y-%m-%d %H:%M")


@pytest.mark.parametrize("name", ["America/Phoenix", "Asia/Muscat", "Africa/Addis_Ababa"])
def test_a_series_in_local_time_is_read_by_the_sites_clock(tmp_path, name):
    path, clock = tmp_path / "prices.csv", Clock.of(name)
    rows = [f"{time},{hour}" for year in (2024, 2025, 2026) for hour, time in local_rows(name, year, clock)]
    path.write_text("\n".join(["time,usd", *rows]), encoding="utf-8")
    span = Span(first_hour_s(date(2025, 1, 1), name), 8760)
    assert read_series(path, "usd", span, clock=clock).tolist() == list(range(8760))
    assert clock.note() == f"times without an offset are local time in {name}: time of prices.csv"


def test_a_series_in_a_local_time_with_daylight_saving_is_refused_only_within_its_year(tmp_path):
    path = tmp_path / "prices.csv"
    for year in (2024, 2025):
        rows = [f"{time},{hour}" for hour, time in local_rows("America/Chicago", year, CHICAGO)]
        path.write_text("\n".join(["time,usd", *rows]), encoding="utf-8")
        span = Span(first_hour_s(date(2025, 1, 1), "America/Chicago"), 8760)
        wanted = "prices.csv: line 7322: time: .*2025-11-02T01:00 happens twice" if year == 2025 else "got none for"
        with pytest.raises(InputError, match=wanted):
            read_series(path, "usd", span, clock=CHICAGO)


def test_a_local_time_that_is_no_whole_hour_is_named_in_utc(tmp_path):
    path, clock = tmp_path / "prices.csv", Clock.of("Asia/Kolkata")
    path.write_text("time,usd\n2026-01-01 00:30,1\n", encoding="utf-8")
    span = Span(unix("2025-12-31T00:00:00+00:00"), 48)
    with pytest.raises(InputError, match=r"start of a whole hour, got '2026-01-01 00:30' \(2025-12-31T19:00Z\)"):
        read_series(path, "usd", span, clock=clock)
