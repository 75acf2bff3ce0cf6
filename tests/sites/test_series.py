"""Hourly series, calendars, prices, demand, temperature, modes and carbon."""

import math
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from itertools import pairwise

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hardware_profiles.errors import InputError
from sites import power, prices
from sites.calendar import local_year, unix_s
from sites.carbon import look_up, per_unit
from sites.demand import log_growth_per_hour, over_mean, week_profile
from sites.device_rate import DeviceRate
from sites.modes import margins
from sites.problem import problem
from sites.series import read_series
from sites.year import site_year

START = datetime(2026, 1, 1, tzinfo=UTC)
HOURS = 48


def rows(hours=HOURS, text="%Y-%m-%dT%H:%M:%SZ"):
    return [f"{(START + timedelta(hours=hour)).strftime(text)},{hour - 10}" for hour in range(hours)]


def write(tmp_path, lines, heading="time,usd"):
    path = tmp_path / "prices.csv"
    path.write_text("\n".join([heading, *lines]), encoding="utf-8")
    return path


def read(path, column="usd"):
    return read_series(path, column, int(START.timestamp()), HOURS)


@pytest.mark.parametrize("text", ["%Y-%m-%dT%H:%M:%SZ", "%Y-%m-%d %H:%M", "%Y-%m-%dT%H:%M:%S+00:00"])
def test_a_series_is_read_whatever_its_order_and_with_hours_to_spare(tmp_path, text):
    lines = rows(HOURS + 5, text)
    assert read(write(tmp_path, list(reversed(lines)))).tolist() == [hour - 10.0 for hour in range(HOURS)]


def test_offsets_are_honoured(tmp_path):
    east = [f"{(START + timedelta(hours=h + 2)).strftime('%Y-%m-%dT%H:%M:%S')}+02:00,{h}" for h in range(HOURS)]
    assert read(write(tmp_path, east)).tolist() == list(range(HOURS))


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
    with pytest.raises(InputError, match=r"daylight-saving double.*write UTC or offsets"):
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
    with pytest.raises(InputError, match="key column: expected a column of values beside time, got 'time'"):
        read(write(tmp_path, rows()), "time")


def test_parquet_decimals_are_read_and_truth_values_refused(tmp_path):
    path = tmp_path / "prices.PARQUET"
    times = [START + timedelta(hours=hour) for hour in range(HOURS)]
    decimals = pa.array([Decimal(f"{hour}.25") for hour in range(HOURS)])
    pq.write_table(pa.table({"time": times, "usd": decimals, "bool": [True] * HOURS}), path)
    assert read(path).tolist() == [hour + 0.25 for hour in range(HOURS)]
    with pytest.raises(InputError, match=r"row 0: bool: expected a number .*, got True at 2026-01-01T00"):
        read(path, "bool")
    with pytest.raises(InputError, match="key column: expected a column of values beside time"):
        read(path, "time")


def hourly_prices(tmp_path, value):
    first = datetime(2026, 1, 1, tzinfo=UTC)
    lines = [f"{(first + timedelta(hours=h)).isoformat()},{value(h)}" for h in range(8760)]
    (tmp_path / "prices.csv").write_text("\n".join(["time,usd", *lines]), encoding="utf-8")


HOURLY = "[price.hourly]\nfile = 'prices.csv'\ncolumn = 'usd'\n[market]"


def test_negative_and_absurd_prices_are_allowed_counted_and_flagged(edited, tmp_path):
    hourly_prices(tmp_path, lambda hour: -30 if hour < 5 else 20_000 if hour == 5 else 40)
    text = "energy_usd_per_mwh = 40\n[market]"
    site = edited(text, HOURLY)
    assert site.flags[0] == "price below 0 in 5 hours, lowest -30.00 USD/MWh"
    assert site.flags[1].startswith("price beyond -1,000 to 10,000 USD/MWh in 1 hours, highest 20,000.00")
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


def test_a_local_year_knows_its_clock_changes():
    calendar = local_year(date(2026, 1, 1), "America/New_York")
    assert calendar.hours == 8760
    assert calendar.start_s == unix_s(datetime(2026, 1, 1, 5, tzinfo=UTC))
    assert calendar.hour[0] == 0
    _, counts = np.unique(calendar.day_of_year, return_counts=True)
    assert sorted(set(counts[:-1].tolist())) == [23, 24, 25]
    assert calendar.billing.max() == 11
    assert calendar.how[0] == 3 * 24  # a Thursday


@given(st.integers(2010, 2040), st.sampled_from(["UTC", "Asia/Kolkata", "Australia/Sydney", "America/Asuncion"]))
def test_a_year_has_twelve_billing_months_without_gap(year, timezone):
    calendar = local_year(date(year, 1, 1), timezone)
    assert calendar.hours in {8760, 8784}
    assert np.unique(calendar.billing).tolist() == list(range(12))
    assert (np.diff(calendar.billing) >= 0).all()


def test_a_year_may_begin_on_any_day_even_29_february():
    assert local_year(date(2028, 2, 29), "UTC").hours == 8784
    assert local_year(date(2026, 7, 15), "UTC").billing.max() == 12


def test_a_month_that_the_year_holds_in_part_is_charged_by_its_hours():
    assert local_year(date(2026, 1, 1), "America/New_York").billed_frac.tolist() == [1.0] * 12
    split = local_year(date(2026, 7, 15), "UTC").billed_frac
    assert split.tolist() == [17 / 31, *[1.0] * 11, 14 / 31]


def test_a_years_demand_charges_are_twelve_wherever_it_begins(edited):
    charged = "[price]\ndemand_charge_usd_per_kw_month = 1"
    site = edited("[price]", charged)
    parts = edited("start = 2026-01-01", "start = 2026-07-15")
    assert problem(replace(parts, demand_charge_usd_per_mw_month=1000.0)).charges_usd_per_mw.sum() == pytest.approx(
        problem(site).charges_usd_per_mw.sum()
    )


def test_time_of_use_takes_the_last_period_that_fits_and_wraps_midnight():
    calendar = local_year(date(2026, 1, 1), "UTC")
    every = tuple(range(1, 13)), tuple(range(7))
    price = prices.time_of_use_series(
        calendar, 30.0, [prices.Period(50.0, *every, 6, 22), prices.Period(10.0, *every, 23, 2)]
    )
    assert price[:24].tolist() == [10, 10, *[30] * 4, *[50] * 16, 30, 10]


def test_a_coincident_charge_is_shared_by_its_hours():
    calendar = local_year(date(2026, 1, 1), "UTC")
    extra = prices.coincident_series(calendar, 40.0, [calendar.start_s, calendar.start_s + 7200])
    assert extra[:4].tolist() == [20_000.0, 0.0, 20_000.0, 0.0]


def test_outages_and_events_lower_the_limit_where_they_fall_and_nowhere_else():
    calendar = local_year(date(2026, 1, 1), "UTC")
    start = calendar.start_s
    limit, what = power.limit_series(
        calendar, 50.0, [(start + 7200, 2, 0.2)], [(start, 3, 15.0), (start - 90_000, 1, 1.0)]
    )
    assert limit[:5].tolist() == [15.0, 15.0, 10.0, 10.0, 50.0]
    assert what[:5].tolist() == [1, 1, 2, 2, 0]


def test_outages_count_by_their_share_of_the_hour():
    calendar = local_year(date(2026, 1, 1), "UTC")
    start = calendar.start_s
    limit, what = power.limit_series(
        calendar, 40.0, [(start + 900, 0.5, 0.0), (start + 3600, 1.25, 0.5), (start + 5400, 0.5, 0.0)], []
    )
    assert limit[:4].tolist() == [20.0, 10.0, 35.0, 40.0]
    assert what[:4].tolist() == [2, 2, 2, 0]


def test_heat_derates_in_a_straight_line_and_raises_the_pue():
    warm = np.array([20.0, 30.0, 37.5, 45.0, 50.0])
    assert power.derate_series(warm, 30.0, 45.0).tolist() == [1.0, 1.0, 0.5, 0.0, 0.0]
    calendar = local_year(date(2026, 1, 1), "UTC")
    celsius = power.temperature_series(calendar, [10.0] * 12, 8.0)
    assert (celsius.max(), celsius.min()) == (pytest.approx(14.0), pytest.approx(6.0))
    assert celsius[15] == pytest.approx(14.0)
    assert power.pue_series(calendar, 1.1, 0.01, 12.0, celsius)[15] == pytest.approx(1.12)


@pytest.mark.parametrize("name", ["flat", "business", "evening"])
def test_a_week_profile_has_168_hours_of_mean_one(name):
    assert len(week_profile(name)) == 168
    assert math.fsum(week_profile(name)) == pytest.approx(168.0)


@pytest.mark.parametrize("shape", [[1.0] * 167, [0.0] * 168, [-1.0] * 168, [math.nan] * 168])
def test_a_shape_that_is_no_week_is_refused(shape):
    with pytest.raises(InputError, match="demand profile: expected"):
        over_mean(shape)


def test_growth_compounds_over_a_year_of_8766_hours():
    assert math.exp(log_growth_per_hour(0.6) * 8766) == pytest.approx(1.6)


def test_modes_become_margins_and_dominated_ones_fall_out(resolve):
    low, high = resolve("hydro: low"), resolve("hydro: high")
    steps = margins([high, low])
    assert [(step.power_w, step.rate_per_s) for step in steps] == [(3000.0, 200e12), (2400.0, 100e12)]
    poor = replace(low, name="poor", rate_per_s=100e12)
    assert margins([poor, high, low]) == steps
    with pytest.raises(InputError, match="expected at least one"):
        margins([])
    with pytest.raises(InputError, match="poor: expected a power"):
        margins([replace(poor, power_w=None)])


@given(st.lists(st.tuples(st.floats(100, 9000), st.floats(1, 900)), min_size=1, max_size=8))
def test_margins_are_ever_less_efficient_and_reach_the_best_mode(points):
    modes = [
        DeviceRate(f"m{i}", "hash", th * 1e12, None, watts, None, "wall", "rated", "rated", "unverified", "none")
        for i, (watts, th) in enumerate(points)
    ]
    steps = margins(modes)
    slopes = [step.rate_per_s / step.power_w for step in steps]
    assert all(a >= b * (1 - 1e-12) for a, b in pairwise(slopes))
    assert sum(step.rate_per_s for step in steps) == pytest.approx(max(mode.rate_per_s for mode in modes))


def test_a_carbon_table_is_looked_up_and_needs_a_source_in_every_row(tmp_path):
    path = tmp_path / "carbon.csv"
    path.write_text("region,kg_per_mwh,source,date\nhere,380,a page,2024\n", encoding="utf-8")
    assert look_up(path, "here") == 380.0
    with pytest.raises(InputError, match=r"key region: expected the site's region, got 'her' .did you mean here"):
        look_up(path, "her")
    path.write_text("region,kg_per_mwh,source,date\nhere,380,,2024\n", encoding="utf-8")
    with pytest.raises(InputError, match="line 2: key source: expected a value"):
        look_up(path, "here")
    path.write_text("region,kg_per_mwh,source,date\nhere,-3,x,2024\n", encoding="utf-8")
    with pytest.raises(InputError, match="line 2: key kg_per_mwh: expected a number of 0 to 10,000 kg/MWh"):
        look_up(path, "here")
    with pytest.raises(InputError, match="expected a readable carbon table"):
        look_up(tmp_path / "none.csv", "here")
    assert per_unit(10.0, 0.0) is None
    assert per_unit(10.0, 5.0) == 2.0
