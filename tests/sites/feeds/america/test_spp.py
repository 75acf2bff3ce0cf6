"""Prices of SPP are read in every layout to the hourly truth, by the column in GMT."""

import pytest
from doubles.feeds.america import spp
from doubles.feeds.reading import differences, read_text
from doubles.feeds.truth import steps, time_s, year

from hardware_profiles.errors import InputError
from sites.feeds.read import read_feed

YEAR = year(spp.ZONE)
AUTUMN = time_s(spp.ZONE, 2025, 11, 2), time_s(spp.ZONE, 2025, 11, 3)
SPRING = time_s(spp.ZONE, 2025, 3, 9), time_s(spp.ZONE, 2025, 3, 10)


@pytest.mark.parametrize("heading", [spp.OLD, spp.NEW])
def test_a_year_of_day_ahead_prices_is_the_truth(tmp_path, heading):
    feed = read_text(tmp_path, spp.text(heading, steps(*YEAR)))
    assert (feed.layout.name, feed.unit) == ("spp", "USD/MWh")
    assert feed.chosen == {"point": "SPPNORTH_HUB", "BAA": "SPP"}
    assert (feed.intervals.resolutions, feed.intervals.missing) == ({3600: 8760}, 0)
    assert not differences(feed, *YEAR)


def test_a_year_of_five_minutes_is_the_truth(tmp_path):
    feed = read_text(tmp_path, spp.text(spp.LAST, steps(*YEAR, 5)))
    assert feed.intervals.resolutions == {300: 105_120}
    assert not differences(feed, *YEAR)


@pytest.mark.parametrize("heading", [spp.OLD, spp.NEW, spp.LAST, spp.CAPITALS, spp.DAILY])
@pytest.mark.parametrize("span", [AUTUMN, SPRING])
def test_days_of_changing_clocks_are_the_truth_in_every_layout(tmp_path, heading, span):
    feed = read_text(tmp_path, spp.text(heading, steps(*span)))
    assert (len(feed.intervals.values), feed.intervals.missing) == ((span[1] - span[0]) // 3600, 0)
    assert not differences(feed, *span)


def test_the_balancing_authority_is_chosen(tmp_path):
    text = spp.text(spp.NEW, steps(*AUTUMN), areas=("SPP", "SWPW"))
    with pytest.raises(InputError, match=r"expected one BAA, got 2: SPP, SWPW \(choose with BAA=NAME\)"):
        read_text(tmp_path, text)
    assert not differences(read_text(tmp_path, text, {"BAA": "SPP"}), *AUTUMN)
    west = read_text(tmp_path, text, {"BAA": "SWPW"})
    assert west.intervals.values.min() > 400


def test_files_before_and_after_the_new_column_are_one_series_of_spp(tmp_path):
    noon = AUTUMN[0] + 12 * 3600
    (tmp_path / "old.csv").write_text(spp.text(spp.OLD, steps(AUTUMN[0], noon)))
    (tmp_path / "new.csv").write_text(spp.text(spp.NEW, steps(noon, AUTUMN[1]), areas=("SPP", "SWPW")))
    feed = read_feed([tmp_path / "old.csv", tmp_path / "new.csv"], {"BAA": "SPP"})
    assert not differences(feed, *AUTUMN)


def test_a_file_of_one_time_is_five_minutes_of_the_real_time_market(tmp_path):
    names = []
    for step in steps(AUTUMN[0], AUTUMN[0] + 3600, 5):
        names.append(tmp_path / f"RTBM-LMP-SL-{step.end_s}.csv")
        names[-1].write_text(spp.text(spp.NEW, [step]))
    assert not differences(read_feed(names), AUTUMN[0], AUTUMN[0] + 3600)


def test_locations_are_chosen_and_have_their_own_prices(tmp_path):
    text = spp.text(spp.OLD, steps(*AUTUMN), locations=spp.LOCATIONS)
    with pytest.raises(InputError, match="expected one point, got 2: SPPNORTH_HUB, SPPSOUTH_HUB"):
        read_text(tmp_path, text)
    with pytest.raises(InputError, match=r"got 'SPPSOUT_HUB' \(did you mean SPPSOUTH_HUB, SPPNORTH_HUB\?\)"):
        read_text(tmp_path, text, {"point": "SPPSOUT_HUB"})
    assert read_text(tmp_path, text, {"point": "SPPSOUTH_HUB"}).intervals.values.min() > 800


def test_a_time_without_the_column_in_gmt_is_refused(tmp_path):
    lines = spp.text(spp.OLD, steps(*AUTUMN)).splitlines()
    text = "\n".join(",".join(line.split(",")[:1] + line.split(",")[2:]) for line in lines)
    with pytest.raises(InputError, match="nearest: spp, where this file lacks 'GMTIntervalEnd'"):
        read_text(tmp_path, text)
