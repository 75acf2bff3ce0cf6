"""Hourly series from files: whatever is wrong with one is a line that names file and line."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from hardware_profiles.errors import InputError
from sites.dispatch.year import site_year
from sites.file.series import Span, read_series

START = datetime(2026, 1, 1, tzinfo=UTC)
HOURS = 48


def rows(hours=HOURS, text="%Y-%m-%dT%H:%M:%SZ"):
    return [f"{(START + timedelta(hours=hour)).strftime(text)},{hour - 10}" for hour in range(hours)]


def write(tmp_path, lines, heading="time,usd"):
    path = tmp_path / "prices.csv"
    path.write_text("\n".join([heading, *lines]), encoding="utf-8")
    return path


def read(path, column="usd"):
    return read_series(path, column, Span(int(START.timestamp()), HOURS))


@pytest.mark.parametrize("text", ["%Y-%m-%dT%H:%M:%SZ", "%Y-%m-%d %H:%M", "%Y-%m-%dT%H:%M:%S+00:00"])
def test_a_series_is_read_whatever_its_order_and_with_hours_to_spare(tmp_path, text):
    lines = rows(HOURS + 5, text)
    assert read(write(tmp_path, list(reversed(lines)))).tolist() == [hour - 10.0 for hour in range(HOURS)]


def test_offsets_are_honoured(tmp_path):
    east = [f"{(START + timedelta(hours=h + 2)).strftime('%Y-%m-%dT%H:%M:%S')}+02:00,{h}" for h in range(HOURS)]
    assert read(write(tmp_path, east)).tolist() == list(range(HOURS))


def test_a_time_of_a_spreadsheet_is_rounded_to_the_second(tmp_path):
    lines = [line.replace("Z,", ".004Z,") if at % 2 else line for at, line in enumerate(rows())]
    lines[5] = "2026-01-01T04:59:59.993Z,-5"
    assert read(write(tmp_path, lines)).tolist() == [hour - 10.0 for hour in range(HOURS)]


def test_a_parquet_file_reads_the_same(tmp_path):
    path = tmp_path / "prices.parquet"
    times = [START + timedelta(hours=hour) for hour in range(HOURS)]
    pq.write_table(pa.table({"time": times, "usd": [float(hour) for hour in range(HOURS)]}), path)
    assert read(path).tolist() == list(range(HOURS))
    with pytest.raises(InputError, match="key eur: expected this column"):
        read(path, "eur")
    path.write_bytes(b"PAR1 not really")
    with pytest.raises(InputError, match="expected a readable Parquet file"):
        read(path)


def test_a_time_in_parquet_that_no_calendar_has_is_one_line(tmp_path):
    path = tmp_path / "prices.parquet"
    pq.write_table(pa.table({"time": pa.array([2**61], pa.timestamp("us", "UTC")), "usd": [1.0]}), path)
    with pytest.raises(InputError, match=r"prices.parquet: time: expected times of the years 1 to 9999, got"):
        read(path)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda lines: lines.pop(7), "expected all 48 hours from 2026-01-01T00:00Z, got none for 2026-01-01T07:00Z"),
        (lambda lines: lines.insert(7, lines[6]), "line 9: time: expected each hour once, got 2026-01-01T06:00Z again"),
        (
            lambda lines: lines.__setitem__(3, lines[3].replace(":00:00Z", ":30:00Z")),
            "expected the start of a whole hour",
        ),
        (lambda lines: lines.__setitem__(3, lines[3].split(",")[0] + ",nan"), "line 5: usd: expected a finite number"),
        (
            lambda lines: lines.__setitem__(3, lines[3].split(",")[0] + ","),
            "line 5: usd: expected a finite number, got ''",
        ),
        (lambda lines: lines.__setitem__(3, "yesterday,1"), "line 5: time: expected ISO 8601, got 'yesterday'"),
    ],
)
def test_a_hole_a_double_and_a_number_that_is_none_are_refused(tmp_path, change, message):
    lines = rows()
    change(lines)
    with pytest.raises(InputError) as caught:
        read(write(tmp_path, lines))
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_local_clocks_double_hour_is_refused_with_the_cure(tmp_path):
    lines = rows()
    lines[6] = lines[5]
    with pytest.raises(InputError, match=r"repeated by daylight saving.*use UTC or offsets"):
        read(write(tmp_path, lines))


def test_a_missing_column_or_file_is_refused(tmp_path):
    with pytest.raises(InputError, match="key time: expected this column"):
        read(write(tmp_path, rows(), "when,usd"))
    with pytest.raises(InputError, match="expected a readable hourly series"):
        read(tmp_path / "none.csv")
    latin = tmp_path / "latin.csv"
    latin.write_bytes("time,usd\né".encode("latin-1"))
    with pytest.raises(InputError, match="expected UTF-8 text"):
        read(latin)


def test_a_row_with_a_cell_too_many_is_refused_with_its_line(tmp_path):
    lines = ["# a note", *rows()]
    lines[4] = lines[4].split(",")[0] + ",1,234"
    with pytest.raises(InputError, match=r"prices.csv: line 6: expected 2 cells, as in the heading, got 3"):
        read(write(tmp_path, lines))


def test_a_doubled_column_and_the_time_as_a_value_are_refused(tmp_path):
    with pytest.raises(InputError, match="column usd: expected it once, got it 2 times"):
        read(write(tmp_path, [f"{line},1" for line in rows()], "time,usd,usd"))
    with pytest.raises(InputError, match="key column: expected a column of values other than time, got 'time'"):
        read(write(tmp_path, rows()), "time")


def test_parquet_decimals_are_read_and_truth_values_refused(tmp_path):
    path = tmp_path / "prices.PARQUET"
    times = [START + timedelta(hours=hour) for hour in range(HOURS)]
    decimals = pa.array([Decimal(f"{hour}.25") for hour in range(HOURS)])
    pq.write_table(pa.table({"time": times, "usd": decimals, "bool": [True] * HOURS}), path)
    assert read(path).tolist() == [hour + 0.25 for hour in range(HOURS)]
    with pytest.raises(InputError, match=r"row 0: bool: expected a number .*, got True at 2026-01-01T00"):
        read(path, "bool")
    with pytest.raises(InputError, match="key column: expected a column of values other than time"):
        read(path, "time")


def hourly_prices(tmp_path, value):
    first = datetime(2026, 1, 1, tzinfo=UTC)
    lines = [f"{(first + timedelta(hours=h)).isoformat()},{value(h)}" for h in range(8760)]
    (tmp_path / "prices.csv").write_text("\n".join(["time,usd", *lines]), encoding="utf-8")


HOURLY = "[price.hourly]\nfile = 'prices.csv'\ncolumn = 'usd'\n[market]"


def test_negative_prices_are_noted_and_absurd_ones_flagged(edited, tmp_path):
    hourly_prices(tmp_path, lambda hour: -30 if hour < 5 else 20_000 if hour == 5 else 40)
    text = "energy_usd_per_mwh = 40\n[market]"
    site = edited(text, HOURLY)
    assert site.notes == ("price below 0 in 5 hours, lowest -30.00 USD/MWh",)
    assert len(site.flags) == 1
    assert "expected 25 to 15,000 USD/MWh, got 20,000 USD/MWh as the highest of its hours" in site.flags[0]
    year = site_year(site, hourly=True)
    assert year.dispatch.mw[5, 0] == 0.0
    assert year.dispatch.mw[0, 0] > 0.0


def test_a_bad_series_stops_the_site_with_its_line(edited, tmp_path):
    hourly_prices(tmp_path, lambda hour: "nan" if hour == 100 else 40)
    with pytest.raises(InputError, match=r"prices.csv: line 102: usd: expected a finite number, got 'nan'"):
        edited("energy_usd_per_mwh = 40\n[market]", HOURLY)


def test_a_pue_below_one_in_a_series_is_refused(edited, tmp_path):
    hourly_prices(tmp_path, lambda hour: 0.9 if hour == 100 else 1.1)
    with pytest.raises(
        InputError, match=r"usd: expected a number of 1 to 10 \(a PUE\), got '0.9' at 2026-01-05T04:00Z"
    ):
        edited("mining_pue = 1.05", "mining_pue_hourly = {file = 'prices.csv', column = 'usd'}")
