"""Each rule of the repeated hour leads from the clock of a file to the same seconds of UTC."""

from datetime import date, datetime

import pytest

from sites.feeds.model import CellError
from sites.feeds.wall_time import FileOrder, WallClock, iso_unix_s


def day(year, month, number):
    return (date(year, month, number) - date(1970, 1, 1)).days


AUTUMN, SPRING = day(2025, 10, 26), day(2025, 3, 30)
BERLIN = WallClock("Europe/Berlin", "%d.%m.%Y")


def test_a_flag_tells_the_second_of_two_equal_times():
    first, second = (BERLIN.unix_s(AUTUMN, 9000, "t", second=flag) for flag in (False, True))
    assert (first, second) == (1761438600, 1761442200)


def test_a_flag_elsewhere_is_refused():
    for number, time_s in ((AUTUMN, 4 * 3600), (day(2025, 7, 1), 9000)):
        with pytest.raises(CellError, match="expected a flag only on the second of two equal hours"):
            BERLIN.unix_s(number, time_s, "t", second=True)


def test_the_hour_that_spring_skips_is_refused():
    with pytest.raises(CellError, match="t: expected a time that exists in Europe/Berlin, got '2025-03-30 02:30'"):
        BERLIN.unix_s(SPRING, 9000, "t")


def test_only_times_within_the_hour_of_spring_are_skipped():
    assert [BERLIN.skips(SPRING, time_s) for time_s in (7199, 7200, 10_799, 10_800)] == [False, True, True, False]
    assert not BERLIN.skips(AUTUMN, 7200)
    assert not BERLIN.skips(day(2025, 7, 1), 7200)


def test_every_day_of_two_years_agrees_with_the_standard_library():
    clock = WallClock("Australia/Lord_Howe")  # half an hour of daylight saving
    for number in range(day(2024, 1, 1), day(2026, 1, 1)):
        for hour in (0, 1, 3, 4, 12, 23):
            when = datetime.fromordinal(719_163 + number).replace(hour=hour, tzinfo=clock._zone)
            assert clock.both_s(number, hour * 3600, "t")[0] == when.timestamp()


def test_the_order_of_the_rows_tells_the_hours_apart_for_each_series():
    order = FileOrder(BERLIN)
    times = [(at, hour * 3600) for at in (0, 1) for hour in (1, 2)]
    steps = [(point, time_s) for _, time_s in [*times[:2], (0, 7200), (0, 10800)] for point in "AB"]
    starts = [order.unix_s(point, AUTUMN, time_s, "t") for point, time_s in steps]
    first = 1761433200
    assert starts == [first + 3600 * at for at in range(4) for _ in "AB"]


def test_quarters_of_the_repeated_hour_follow_their_order():
    order = FileOrder(BERLIN)
    quarters = [7200 + 900 * at for at in (0, 1, 2, 3, 0, 1, 2, 3)]
    starts = [order.unix_s("A", AUTUMN, time_s, "t") for time_s in quarters]
    assert starts == [1761436800 + 900 * at for at in range(8)]


def test_a_clock_that_goes_back_is_refused_where_order_is_the_rule():
    order = FileOrder(BERLIN)
    order.unix_s("A", AUTUMN, 5 * 3600, "t")
    with pytest.raises(CellError, match=r"t: expected rows in the order of time, .* got '2025-10-26 04:00'"):
        order.unix_s("A", AUTUMN, 4 * 3600, "t")


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("00:00", 0),
        ("24:00", 86400),
        ("7:05", 25500),
        ("12:30:15 AM", 1815),
        ("1:00 pm", 46800),
        ("12:00:00 PM", 43200),
    ],
)
def test_times_of_day_are_read(text, seconds):
    assert BERLIN.time_s(text, "t") == seconds


@pytest.mark.parametrize("text", ["24:01", "12:60", "13:00 PM", "0:30 AM", "noon", "", "1"])
def test_other_times_of_day_are_refused(text):
    with pytest.raises(CellError, match="expected a time of day from 00:00 to 24:00"):
        BERLIN.time_s(text, "t")


def test_iso_times_need_an_offset():
    assert iso_unix_s("2026-07-14T07:00:00-00:00", "t") == 1784012400
    assert iso_unix_s(" 2025-11-02 01:00:00-05:00", "t") == 1762063200
    for text in ("2025-11-02 01:00:00", "yesterday", ""):
        with pytest.raises(CellError, match="expected an ISO 8601 time with an offset"):
            iso_unix_s(text, "t")


def test_a_fixed_offset_has_no_daylight_saving():
    clock = WallClock("UTC+10:00", "%Y/%m/%d")
    assert clock.unix_s(clock.day("2025/07/01", "d"), 0, "t") == 1751292000


@pytest.mark.parametrize("text", ["31.12.1969", "01.01.2200", "01.01.0001", "31.12.9999"])
def test_a_day_far_from_every_market_is_refused(text):
    number = BERLIN.day(text, "t")
    for read in (BERLIN.unix_s, BERLIN.both_s):
        with pytest.raises(CellError, match="t: expected a time of the years 1970 to 2199, got '"):
            read(number, 0, "t")
