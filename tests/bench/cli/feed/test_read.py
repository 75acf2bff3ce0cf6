"""`perwatt feed read` and `perwatt feed list`: what is in a market file, and its series in perwatt's own form."""

import csv
import hashlib
import json
import math
from itertools import pairwise

import pytest
from doubles.feeds.america import ercot
from doubles.feeds.europe import entsoe
from doubles.feeds.others import rent
from doubles.feeds.truth import hourly, steps, time_s, year

from sites.feeds.layouts import LAYOUTS
from sites.file.series import Span, read_series

TEXAS = ercot.ZONE
SPAN = time_s(TEXAS, 2025, 11, 1), time_s(TEXAS, 2025, 11, 4)


@pytest.fixture
def autumn(tmp_path):
    (tmp_path / "autumn.csv").write_text(ercot.day_ahead(steps(*SPAN)), encoding="utf-8")
    return "autumn.csv"


def test_a_file_is_shown_in_80_columns(perwatt, autumn):
    done = perwatt("feed", "read", autumn, "--point", "HB_HOUSTON", env={"COLUMNS": "80"})
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    assert max(map(len, lines)) <= 80
    values = list(hourly(*SPAN).values())
    assert lines == [
        "file        autumn.csv",
        "source      ERCOT day-ahead settlement point prices",
        "feed        ercot-dam",
        "point       HB_HOUSTON",
        "unit        USD/MWh",
        "clock       America/Chicago; times name the end of an interval",
        "repeated    a flag is Y on the second one",
        "resolution  60 minutes: 73 intervals",
        "first       2025-11-01T00:00-05:00",
        "end         2025-11-04T00:00-06:00",
        "missing     0",
        "doubled     0",
        "revised     0",
        f"values      lowest {min(values):.4g}, mean {sum(values) / 73:.4g}, highest {max(values):.4g} USD/MWh",
        f"below zero  {sum(value < 0 for value in values)} intervals",
    ]


def test_a_file_of_several_points_lists_them_and_chooses_none(perwatt, autumn):
    done = perwatt("feed", "read", autumn)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == (
        "error: autumn.csv: expected one point, got 3: HB_HOUSTON, HB_WEST, LZ_WEST (choose with point=NAME)\n"
    )
    assert perwatt("feed", "read", autumn, "--where", "point=HB_WEST").returncode == 0


def test_the_series_is_read_back_and_the_sidecar_says_where_it_is_from(perwatt, autumn, tmp_path):
    done = perwatt("feed", "read", autumn, "--point", "HB_HOUSTON", "--out", "houston.csv", "--json")
    document = json.loads(done.stdout)
    assert document["written"] == ["houston.csv", "houston.csv.json"]
    values = read_series(tmp_path / "houston.csv", "price", Span(SPAN[0], 73))
    assert values.tolist() == list(hourly(*SPAN).values())
    sidecar = json.loads((tmp_path / "houston.csv.json").read_text(encoding="utf-8"))
    raw, written = ((tmp_path / name).read_bytes() for name in (autumn, "houston.csv"))
    assert sidecar["files"] == [{"name": autumn, "sha256": hashlib.sha256(raw).hexdigest()}]
    assert sidecar["series_sha256"] == hashlib.sha256(written).hexdigest()
    expected = {
        "feed": "ercot-dam",
        "chosen": {"point": "HB_HOUSTON"},
        "unit": "USD/MWh",
        "intervals": 73,
        "missing": 0,
    }
    assert {key: sidecar[key] for key in expected} == expected
    assert {key: document[key] for key in expected} == expected
    assert sidecar["repeated_hour"] == "a flag is Y on the second one"


def test_nothing_is_overwritten(perwatt, autumn, tmp_path):
    (tmp_path / "houston.csv").write_text("mine", encoding="utf-8")
    done = perwatt("feed", "read", autumn, "--point", "HB_HOUSTON", "--out", "houston.csv")
    assert done.returncode == 2
    assert "expected a path that does not exist yet" in done.stderr
    assert (tmp_path / "houston.csv").read_text(encoding="utf-8") == "mine"


def test_runs_of_the_dispatch_are_written_in_hourly_means(perwatt, tmp_path):
    lines = ercot.runs(steps(*SPAN, 5)).splitlines()
    late = [line.replace(":11,", ":19,") if at % 3 == 0 else line for at, line in enumerate(lines)]
    (tmp_path / "sced.csv").write_text("\n".join(late), encoding="utf-8")
    done = perwatt("feed", "read", "sced.csv", "--out", "hours.csv")
    assert done.returncode == 0
    assert "the intervals have no regular length, so the file has hourly means" in done.stderr
    rows = list(csv.DictReader((tmp_path / "hours.csv").read_text(encoding="utf-8").splitlines()))
    assert len(rows) == 72
    assert math.isclose(float(rows[5]["price"]), hourly(*SPAN)[SPAN[0] + 6 * 3600], abs_tol=0.5)


def test_weeks_are_written_as_weeks(perwatt, tmp_path):
    (tmp_path / "weeks.csv").write_bytes(rent.index(range(*year("UTC"), rent.WEEK_S)))
    done = perwatt("feed", "read", "weeks.csv", "--out", "series.csv")
    assert (done.returncode, done.stderr) == (0, "")
    assert len((tmp_path / "series.csv").read_text(encoding="utf-8").splitlines()) == 1 + 53


def test_a_year_is_that_of_the_market_and_says_what_it_lacks(perwatt, autumn):
    done = perwatt("feed", "read", autumn, "--point", "HB_WEST", "--year", "2025", "--json")
    document = json.loads(done.stdout)
    assert (document["first_utc"], document["end_utc"]) == ("2025-01-01T06:00Z", "2026-01-01T06:00Z")
    assert document["missing"] == 8760 - 73
    done = perwatt("feed", "read", autumn, "--point", "HB_WEST", "--year", "2024")
    assert (
        "--year: expected a year of the file, 2025-11-01T00:00-05:00 to 2025-11-04T00:00-06:00, got 2024" in done.stderr
    )


def test_a_rule_fills_what_is_missing_and_counts_it(perwatt, tmp_path):
    lines = ercot.day_ahead(steps(*SPAN), ("HB_WEST",)).splitlines()
    (tmp_path / "gap.csv").write_text("\n".join(lines[:20] + lines[23:]), encoding="utf-8")
    assert "missing     3" in perwatt("feed", "read", "gap.csv").stdout
    done = perwatt("feed", "read", "gap.csv", "--fill", "previous", "--out", "whole.csv")
    assert "missing     0" in done.stdout
    assert "filled      3, with the value of the interval before" in done.stdout
    assert json.loads((tmp_path / "whole.csv.json").read_text(encoding="utf-8"))["filled"] == 3
    document = json.loads(perwatt("feed", "read", "gap.csv", "--fill", "previous", "--json").stdout)
    assert (document["missing"], document["filled"]) == (0, 3)


def test_several_files_are_one_series_and_zeros_at_a_clock_change_are_a_flag(perwatt, tmp_path):
    days = [time_s("Europe/Berlin", 2025, 10, number) for number in (25, 26, 27)]
    for name, span in zip("ab", pairwise(days), strict=True):
        zeros = [step._replace(price=0.0) if name == "b" else step for step in steps(*span)]
        (tmp_path / f"{name}.csv").write_bytes(entsoe.web(("BZN|FR", entsoe.WITHOUT, zeros)))
    done = perwatt("feed", "read", "a.csv", "b.csv")
    assert "file        a.csv and 1 more" in done.stdout
    assert "resolution  60 minutes: 49 intervals" in done.stdout
    assert "are exactly 0, at a change of the clock" in done.stderr


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("--where", "HB_WEST"), "--where: expected NAME=VALUE, got 'HB_WEST'"),
        (("--point", "A", "--where", "point=B"), "--where: expected each key once, got 'point'"),
        (("--feed", "ercot"), "expected a feed that `perwatt feed list` shows, got 'ercot' (did you mean ercot-"),
        (("--feed", "aemo"), "autumn.csv: expected the columns of aemo, got those of ercot-dam"),
        (("--point", "HB_WST"), "expected a point that the file has, got 'HB_WST' (did you mean HB_WEST"),
    ],
)
def test_a_wrong_request_is_one_line(perwatt, autumn, words, message):
    done = perwatt("feed", "read", autumn, *words)
    assert done.returncode == 2
    assert message in done.stderr
    assert done.stderr.count("\n") == 1


def test_the_list_has_every_feed(perwatt):
    done = perwatt("feed", "list", env={"COLUMNS": "80"})
    assert max(map(len, done.stdout.splitlines())) <= 80
    document = json.loads(perwatt("feed", "list", "--json").stdout)
    assert [feed["name"] for feed in document["feeds"]] == [layout.name for layout in LAYOUTS]
    for layout in LAYOUTS:
        assert layout.name in done.stdout


def test_a_series_of_a_year_is_a_price_of_a_site(perwatt, tmp_path):
    (tmp_path / "year.csv").write_text(ercot.day_ahead(steps(*year(TEXAS)), ("HB_WEST",)), encoding="utf-8")
    assert perwatt("feed", "read", "year.csv", "--out", "west.csv").returncode == 0
    text = (
        f'[site]\nname = "A"\ntimezone = "{TEXAS}"\nstart = 2025-01-01\n[power]\ninterconnect_mw = 1\n[cooling]\n'
        "mining_pue = 1.05\n[price]\nhourly = {{ {} }}\n[market]\nbtc_usd = 80000\nfees_percent_of_subsidy = 1\n"
        '[[mining]]\nname = "m"\ndevice = "antminer-s21"\ninterconnect_percent = 100\npool_fee_percent = 1\n'
    )
    years = []
    for price in ('file = "west.csv", column = "price"', 'file = "year.csv", feed = "ercot-dam"'):
        (tmp_path / "site.toml").write_text(text.format(price), encoding="utf-8")
        done = perwatt("yield", "site.toml", "--json")
        assert done.returncode == 0, done.stderr
        years.append(json.loads(done.stdout)["sites"][0]["summary"])
    assert years[0] == years[1]
