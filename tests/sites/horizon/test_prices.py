"""Prices after the first year: growth, series of each year, and forward curves without a gap."""

from datetime import UTC, datetime

import numpy as np
import pytest

from hardware_profiles.errors import InputError
from sites.dispatch.problem import site_reward_btc_per_hash
from sites.horizon.years import years_of
from sites.market.bitcoin import bundled_difficulty

HOURLY = 'hourly = { file = "prices.csv", column = "usd" }'


def write_prices(folder, first, last, of=lambda at_s: 30 + at_s // 3600 % 24):
    """Write hourly prices of whole UTC years."""
    begin, end = (int(datetime(year, 1, 1, tzinfo=UTC).timestamp()) for year in (first, last + 1))
    rows = [f"{datetime.fromtimestamp(at, UTC):%Y-%m-%dT%H:%MZ},{of(at)}" for at in range(begin, end + 6 * 3600, 3600)]
    (folder / "prices.csv").write_text("\n".join(["time,usd", *rows]) + "\n", encoding="utf-8")


def write_forward(folder, prices):
    rows = [f"{month},{price}" for month, price in prices.items()]
    (folder / "forward.csv").write_text("\n".join(["month,usd", *rows]) + "\n", encoding="utf-8")


def months(first, last):
    return [f"{year}-{month:02d}" for year in range(first, last + 1) for month in range(1, 13)]


def test_growth_is_applied_at_each_anniversary(make):
    """To power, bitcoin, rents and fixed cost."""
    growth = """
[cost]
fixed_usd_per_year = 1000
[horizon]
years = 3
energy_price_growth_percent_per_year = 10
btc_price_growth_percent_per_year = -20
inference_price_growth_percent_per_year = 5
fixed_cost_growth_percent_per_year = 2
"""
    for year, site in enumerate(years_of(*make(gpus="", more=growth), 3)):
        assert site.spot_usd_per_mwh == pytest.approx(40.0 * 1.1**year)
        assert site.resale_usd_per_mwh == pytest.approx(40.0 * 1.1**year)
        assert site.btc_usd == pytest.approx(80000.0 * 0.8**year)
        assert site.inference[0].price_usd == pytest.approx(1.5 * 1.05**year)
        assert site.fixed_usd_per_year == pytest.approx(1000.0 * 1.02**year)


def test_a_tariff_of_hours_of_the_week_knows_the_weekdays_of_each_year(make):
    price = "[price.time_of_use]\nbase_usd_per_mwh = 30\n[[price.time_of_use.period]]\nusd_per_mwh = 90\nweekdays = [0]"
    for site in years_of(*make(price=price), 3):
        monday = site.calendar.how // 24 == 0
        assert (site.spot_usd_per_mwh == np.where(monday, 90.0, 30.0)).all()


def test_a_difficulty_of_a_later_year_holds_from_its_day_on(make):
    """Without a horizon, such a point is refused, because it has no effect."""
    point = "[[market.difficulty]]\nstart = 2027-07-01\ndifficulty = 300000000000000\n"
    first, second = years_of(*make(btc="10000000", more=f"[horizon]\nyears = 2\n{point}"), 2)
    reward = site_reward_btc_per_hash(second)
    assert reward[-1] == pytest.approx(site_reward_btc_per_hash(first)[0] * bundled_difficulty(first.start_s) / 3e14)
    assert reward[0] > reward[-1]
    with pytest.raises(InputError, match="expected a time before the end of the year"):
        make(more=point)


def test_a_series_of_every_year_is_read_for_each(make, tmp_path):
    write_prices(tmp_path, 2026, 2028, lambda at_s: at_s // 3600 / 200 - 2440)
    for site in years_of(*make(price=HOURLY), 3):
        assert site.spot_usd_per_mwh == pytest.approx((site.start_s // 3600 + np.arange(site.hours)) / 200 - 2440)


def test_a_series_of_the_first_year_alone_is_refused_unless_its_growth_is_stated(make, tmp_path):
    write_prices(tmp_path, 2026, 2026)
    made = make(price=HOURLY)
    with pytest.raises(InputError, match=r"prices.csv.*state horizon.energy_price_growth_percent_per_year") as refused:
        years_of(*made, 2)
    assert "\n" not in str(refused.value)
    made = make(price=HOURLY, more="[horizon]\nyears = 2\nenergy_price_growth_percent_per_year = 3\n")
    first, second = years_of(*made, 2)
    assert second.spot_usd_per_mwh.mean() == pytest.approx(1.03 * first.spot_usd_per_mwh.mean(), rel=1e-4)


def test_a_forward_curve_is_the_mean_of_each_month_in_the_shape_of_the_first_year(make, tmp_path):
    write_prices(tmp_path, 2026, 2026)
    curve = {month: 20.0 + number for number, month in enumerate(months(2026, 2028))}
    write_forward(tmp_path, curve)
    forward = '[horizon]\nyears = 3\nenergy_price_forward = { file = "forward.csv", column = "usd" }\n'
    for year, site in enumerate(years_of(*make(price=HOURLY, more=forward), 3)):
        for month in range(12):
            prices = site.spot_usd_per_mwh[site.calendar.billing == month]
            assert prices.mean() == pytest.approx(20.0 + 12 * year + month, rel=1e-12)
            assert prices.max() / prices.min() == pytest.approx(53 / 30)


def test_a_forward_curve_of_bitcoin_holds_in_each_month(make, tmp_path):
    write_forward(tmp_path, {month: 1000.0 * number + 1000 for number, month in enumerate(months(2026, 2027))})
    forward = '[horizon]\nyears = 2\nbtc_price_forward = { file = "forward.csv", column = "usd" }\n'
    for year, site in enumerate(years_of(*make(more=forward), 2)):
        assert (site.btc_path_usd == 1000.0 * (12 * year + site.calendar.billing) + 1000.0).all()


def test_a_gap_in_a_forward_curve_is_refused_in_one_line(make, tmp_path):
    curve = dict.fromkeys(months(2026, 2027), 40.0)
    del curve["2027-03"], curve["2027-11"]
    write_forward(tmp_path, curve)
    forward = '[horizon]\nyears = 2\nenergy_price_forward = { file = "forward.csv", column = "usd" }\n'
    made = make(more=forward)
    with pytest.raises(InputError) as refused:
        years_of(*made, 2)
    assert str(refused.value).endswith(
        "forward.csv: expected a price for each month of 2026-01 to 2027-12, got none for 2027-03 and 1 more"
    )


@pytest.mark.parametrize(
    ("row", "expected"),
    [
        ("2026-13,4", "expected a month YYYY-MM, got '2026-13'"),
        ("2026-01,4", "expected each month once, got '2026-01'"),
        ("2028-01,nan", "expected a number of"),
        ("2028-01,1_0", "expected a number of"),
    ],
)
def test_a_faulty_row_of_a_forward_curve_is_refused(make, tmp_path, row, expected):
    write_forward(tmp_path, dict.fromkeys(months(2026, 2026), 40.0))
    with (tmp_path / "forward.csv").open("a", encoding="utf-8") as file:
        file.write(f"{row}\n")
    forward = '[horizon]\nyears = 1\nenergy_price_forward = { file = "forward.csv", column = "usd" }\n'
    made = make(more=forward)
    with pytest.raises(InputError, match=expected):
        years_of(*made, 1)


def test_growth_and_a_forward_curve_together_are_refused(make):
    with pytest.raises(InputError, match="expected btc_price_growth_percent_per_year or btc_price_forward, got both"):
        make(
            more="[horizon]\nyears = 1\nbtc_price_growth_percent_per_year = 1\n"
            'btc_price_forward = { file = "forward.csv", column = "usd" }\n'
        )
