"""Legal values that deserve a second look are flagged, and read all the same."""

import pytest
from doubles.feeds import truth
from doubles.feeds.europe import entsoe, entsoe_xml, market, smard
from doubles.feeds.others import frames
from doubles.feeds.reading import read_text

from sites.feeds.flags import clock_changes, flags
from sites.feeds.layouts import LAYOUTS
from sites.feeds.wall_time import zone_of

CHANGE_S = 1761440400  # [s, unix] 2025-10-26 01:00 UTC
DAYS = market.days((2025, 10, 25), (2025, 10, 26), (2025, 10, 27), minutes=15)


def zeros(first_s, last_s):
    return [step._replace(price=0.0) if first_s <= step.start_s < last_s else step for step in DAYS]


def files(steps):
    return (
        entsoe.web(("BZN|BE", entsoe.WITHOUT, steps)),
        entsoe.web(("BZN|BE", entsoe.WITHOUT, steps), clock=entsoe.UTC),
        entsoe_xml.prices((entsoe_xml.FRANCE, None, steps)),
        smard.new({smard.GERMANY: steps}),
        frames.entsoe_py(steps),
    )


def test_an_hour_of_zeros_at_the_clock_change_is_a_flag_and_no_error(tmp_path):
    for text in files(zeros(CHANGE_S - 3600, CHANGE_S)):
        feed = read_text(tmp_path, text)
        assert feed.intervals.missing == 0
        (flag,) = flags(feed)
        assert flag.startswith("The prices from 2025-10-26T00:00Z to 2025-10-26T01:00Z are exactly 0, at a change ")
        assert "Europe/Brussels" in flag


@pytest.mark.parametrize(
    ("first_s", "last_s"),
    [
        (CHANGE_S - 3600, CHANGE_S - 2700),  # a quarter
        (CHANGE_S + 6 * 3600, CHANGE_S + 9 * 3600),  # hours after the change
        (CHANGE_S - 86_400, CHANGE_S - 80_000),  # the day before
    ],
)
def test_other_zeros_are_no_flag(tmp_path, first_s, last_s):
    for text in files(zeros(first_s, last_s)):
        assert flags(read_text(tmp_path, text)) == ()


def test_a_year_without_zeros_has_no_flag(tmp_path):
    assert flags(read_text(tmp_path, entsoe.web(("BZN|BE", entsoe.WITHOUT, market.year())))) == ()


def test_the_zone_of_every_layout_is_a_zone_or_has_no_clock():
    for layout in LAYOUTS:
        timezone = layout.market_timezone or layout.timezone
        assert "/" not in timezone or list(clock_changes(*truth.year("UTC"), zone_of(timezone)))


def test_a_frame_with_offsets_of_its_own_has_no_clock_to_compare_with(tmp_path):
    assert flags(read_text(tmp_path, frames.gridstatus(zeros(0, CHANGE_S)))) == ()


def test_clocks_change_twice_a_year_or_never():
    first_s, last_s = truth.year("UTC")
    for zone, changes in (
        ("Europe/Brussels", [1743296400, CHANGE_S]),
        ("America/Chicago", [1741507200, 1762066800]),
        ("UTC", []),
        ("UTC+10:00", []),
    ):
        assert list(clock_changes(first_s, last_s, zone_of(zone))) == changes
