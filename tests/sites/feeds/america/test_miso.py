"""Prices of MISO are read from wide files, archives and five-minute files to the hourly truth: EST all year."""

import pytest
from doubles.feeds.america import miso
from doubles.feeds.reading import differences, read_text
from doubles.feeds.truth import steps, time_s, year

from hardware_profiles.errors import InputError
from sites.feeds.read import read_feed

YEAR = year(miso.ZONE)
HOURS = list(steps(*YEAR))
DAY = time_s(miso.ZONE, 2025, 11, 2), time_s(miso.ZONE, 2025, 11, 3)
ONE_DAY = next(iter(miso.daily(steps(*DAY)).values()))
INDIANA = {"point": "INDIANA.HUB", "value": "LMP"}


def test_a_year_of_a_file_a_day_is_the_truth(tmp_path):
    paths = []
    for name, text in miso.daily(HOURS).items():
        paths.append(tmp_path / name)
        paths[-1].write_text(text)
    feed = read_feed(paths, INDIANA)
    assert (feed.layout.name, feed.unit, len(paths)) == ("miso-hourly", "USD/MWh", 365)
    assert feed.chosen == {**INDIANA, "product": "da-expost"}
    assert (feed.intervals.resolutions, feed.intervals.missing) == ({3600: 8760}, 0)
    assert not differences(feed, *YEAR)


def test_a_year_of_an_archive_is_the_truth(tmp_path):
    feed = read_text(tmp_path, miso.archive(HOURS), INDIANA)
    assert (feed.layout.name, feed.intervals.missing) == ("miso-archive", 0)
    assert not differences(feed, *YEAR)


def test_two_months_of_five_minutes_are_the_truth(tmp_path):
    span = time_s(miso.ZONE, 2025, 10, 1), time_s(miso.ZONE, 2025, 12, 1)
    feed = read_text(tmp_path, miso.five_minute(steps(*span, 5)), {"point": "INDIANA.HUB"})
    assert (feed.layout.name, set(feed.intervals.resolutions)) == ("miso-rt-5min", {300})
    assert not differences(feed, *span)


def test_numbers_without_a_zero_before_the_point_are_read(tmp_path):
    text = ONE_DAY.replace("INDIANA.HUB,Hub,LMP,", "INDIANA.HUB,Hub,LMP,.15,-.37,", 1)
    text = "\r\n".join(",".join(line.split(",")[:27]) for line in text.split("\r\n"))
    assert read_text(tmp_path, text, INDIANA).intervals.values[:2].tolist() == [0.15, -0.37]


@pytest.mark.parametrize(("title", "product"), [(miso.EX_ANTE, "da-exante"), (miso.REAL_TIME, "rt")])
def test_the_title_tells_the_product(tmp_path, title, product):
    text = ONE_DAY.replace(miso.EX_POST, title)
    assert read_text(tmp_path, text, INDIANA).chosen["product"] == product
    with pytest.raises(
        InputError, match=f"expected a product that the file has, got 'da-expost' .did you mean {product}"
    ):
        read_text(tmp_path, text, {**INDIANA, "product": "da-expost"})


def test_two_products_of_one_shape_are_not_mixed(tmp_path):
    (tmp_path / "post.csv").write_text(ONE_DAY)
    (tmp_path / "ante.csv").write_text(ONE_DAY.replace(miso.EX_POST, miso.EX_ANTE))
    with pytest.raises(InputError, match="expected one product, got 2: da-expost, da-exante"):
        read_feed([tmp_path / "post.csv", tmp_path / "ante.csv"], INDIANA)


def test_the_node_and_the_kind_of_value_are_chosen(tmp_path):
    with pytest.raises(InputError, match=r"got 6: INDIANA\.HUB with LMP, INDIANA\.HUB with MCC, INDIANA\.HUB with MLC"):
        read_text(tmp_path, ONE_DAY)
    with pytest.raises(InputError, match=r"got 'INDIANA' \(did you mean INDIANA.HUB\?\)"):
        read_text(tmp_path, ONE_DAY, {"point": "INDIANA"})
    assert read_text(tmp_path, ONE_DAY, {"point": "MINN.HUB", "value": "LMP"}).intervals.values.min() > 800


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        (miso.EX_POST, "Day Ahead Market MCPs",
         "the title: expected Day Ahead Market ExPost LMPs, ExAnte LMPs or Realtime Market LMPs, got 'Day Ahead"),
        ("Eastern Standard Time (EST)", "Central Prevailing Time (CPT)",
         "the lines above the heading: expected the note on Eastern Standard Time (EST), got nothing"),
        ("11/02/2025", "2025-11-02", "the date above the heading: expected a date as MM/DD/YYYY, got ''"),
        ("HE 24", "HE 25", "expected the columns of a known feed, got 'Day Ahead Market ExPost LMPs' (nearest: miso-h"),
    ],
)  # fmt: skip
def test_what_is_not_a_report_of_prices_is_refused(tmp_path, old, new, message):
    with pytest.raises(InputError) as caught:
        read_text(tmp_path, ONE_DAY.replace(old, new), INDIANA)
    assert str(caught.value).startswith(f"{tmp_path}/file.csv: {message}")


def test_a_last_line_ends_a_five_minute_file_and_a_short_row_is_refused(tmp_path):
    text = miso.five_minute(steps(DAY[0], DAY[0] + 3600, 5))
    assert "END OF FILE" in text
    short = text.split("END OF FILE")[0][:-12] + "\n"
    with pytest.raises(InputError, match="row: expected 5 cells, as in the heading, got 3"):
        read_text(tmp_path, short, {"point": "INDIANA.HUB"})
