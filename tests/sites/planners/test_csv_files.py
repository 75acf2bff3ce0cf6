"""The CSV files that are written: opened by a spreadsheet, and read back by perwatt."""

import csv
import io
import re
from datetime import UTC, datetime

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from bench.device_rates import resolve_device
from hardware_profiles.errors import InputError
from sites.dispatch.year import site_year
from sites.examples import example_path
from sites.file.build import load_site
from sites.file.series import Span, read_series
from sites.planners.csv_files import as_text, csv_bytes
from sites.planners.plan import write_plan

LOCAL = re.compile(r"\d{4}-\d\d-\d\dT\d\d:00:00[+-]\d\d:\d\d")


def opened_by_a_spreadsheet(content):
    """The cells as a spreadsheet has them: UTF-8 only after a byte order mark, formulas run, numbers are numbers."""
    marked = content.startswith(b"\xef\xbb\xbf")
    text = content[3:].decode() if marked else content.decode("cp1252")
    return [[_cell(cell) for cell in row] for row in csv.reader(io.StringIO(text))]


def _cell(cell):
    if cell.startswith("'"):
        return cell[1:]
    try:
        return float(cell)
    except ValueError:
        return ("formula", cell) if cell[:1] in "=+-@" and cell else cell


@pytest.mark.parametrize("name", ["Ålesund, Süd", "=1+1", "@SUM(A1)", "-2+3", "+cmd|' /C calc'!A0", "plain"])
def test_a_spreadsheet_shows_each_name_as_it_is(name):
    _, row = opened_by_a_spreadsheet(csv_bytes(["site", "net_usd"], [[name, -12.5]]))
    assert row == [name, -12.5]


@pytest.mark.parametrize("number", ["-12.5", "+1e6", "42"])
def test_a_number_in_a_text_stays_a_number(number):
    assert as_text(number) == number


def test_times_and_missing_values_have_one_form():
    when = datetime(2027, 3, 1, 6, tzinfo=UTC)
    assert csv_bytes(["t", "v"], [[when, None]]).decode("utf-8-sig") == "t,v\n2027-03-01T06:00:00Z,\n"


@pytest.fixture(scope="module")
def gpu_year():
    return site_year(load_site(example_path("georgia-50mw-gpu-modules"), resolve_device), hourly=True)


@pytest.mark.parametrize("ending", [".csv", ".parquet"])
def test_a_plan_is_read_back_as_a_series_of_its_site(gpu_year, tmp_path, ending):
    path = tmp_path / f"plan{ending}"
    write_plan([gpu_year], path)
    price = read_series(path, "price_usd_per_mwh", Span(gpu_year.site.start_s, gpu_year.hours))
    np.testing.assert_allclose(price, gpu_year.in_hours()[2])
    with pytest.raises(InputError, match="expected each hour once"):  # which part's power?
        read_series(path, "meter_mw", Span(gpu_year.site.start_s, gpu_year.hours))


def test_a_plan_has_the_local_hour_beside_utc_through_both_changes_of_the_clock(gpu_year, tmp_path):
    write_plan([gpu_year], tmp_path / "plan.csv")
    heading, *rows = csv.reader(io.StringIO((tmp_path / "plan.csv").read_text(encoding="utf-8-sig")))
    times = [dict(zip(heading, row, strict=True)) for row in rows]
    assert all(LOCAL.fullmatch(row["time_local"]) for row in times)
    for row in times:
        assert datetime.fromisoformat(row["time_utc"]) == datetime.fromisoformat(row["time_local"])
    offsets = {row["time_local"][-6:] for row in times}
    assert offsets == {"-05:00", "-04:00"}


def test_hours_repeated_in_a_series_that_is_no_plan_are_refused(tmp_path):
    hours = [datetime(2027, 1, 1, hour, tzinfo=UTC) for hour in (0, 1, 1, 2)]
    pq.write_table(pa.table({"time": hours, "usd": [1.0, 2.0, 2.0, 3.0]}), tmp_path / "prices.parquet")
    with pytest.raises(InputError, match="expected each hour once, got 2027-01-01T01:00Z again"):
        read_series(tmp_path / "prices.parquet", "usd", Span(int(hours[0].timestamp()), 3))
