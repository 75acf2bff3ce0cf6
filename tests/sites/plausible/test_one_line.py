"""One line for one slip: lists, exchanged keys and past prices of bitcoin; and the hemisphere of a site."""

import pytest
from doubles.right_sites import FLAT, PAST, SITE, site_lines

from sites.plausible.zones import latitude_of

FAHRENHEIT = ("[8, 11, 16, 20, 25, 29, 31, 31, 27, 21, 14, 9]", "[46, 52, 61, 68, 77, 84, 88, 88, 81, 70, 57, 48]")


def test_a_past_price_of_bitcoin_below_those_of_today_is_not_doubted(tmp_path):
    assert site_lines(PAST.replace("btc_usd = 20000", "btc_usd = 7200"), tmp_path) == ()
    (line,) = site_lines(PAST.replace("btc_usd = 20000", "btc_usd = 7.2"), tmp_path)  # absurd, and refused
    assert "in thousands? write 7200" in line


def test_twelve_months_in_fahrenheit_are_one_line_that_counts_them(tmp_path):
    (line,) = site_lines(SITE.replace(*FAHRENHEIT), tmp_path)
    assert "climate.mean_c_by_month[0]: expected -45 to 44 degrees C, got 46 (in Fahrenheit? write 7.77778)" in line
    assert line.endswith(", and 11 more of this list")


def test_exchanged_losses_and_availability_are_one_line(tmp_path):
    text = SITE.replace("losses_percent = 2", "losses_percent = 97").replace(
        "availability_percent = 97", "availability_percent = 2"
    )
    (line,) = site_lines(text, tmp_path)
    assert "got 97 with an availability_percent of 2 (exchanged? write losses_percent = 2 and" in line


def test_a_line_names_the_band_and_not_its_source(tmp_path):
    (line,) = site_lines(FLAT.replace("energy_usd_per_mwh = 38", "energy_usd_per_mwh = 380"), tmp_path)
    assert line == (
        "key price.energy_usd_per_mwh: expected 10 to 300 USD/MWh, got 380 "
        "(in another currency? name it with currency and currency_per_usd)"
    )


@pytest.mark.parametrize(
    ("region", "zone", "latitude"),
    [
        ("us-texas", "America/Chicago", 41.85),
        ("au-south-australia", "Australia/Adelaide", -34.92),
        ("paraguay", "UTC", -25.27),
        ("us-texas", "US/Central", 39.74),
        ("brazil", "UTC", None),
        ("somewhere", "UTC", None),
    ],
)
def test_the_hemisphere_is_that_of_the_zone_or_else_of_the_region(region, zone, latitude):
    assert latitude_of(region, zone) == (None if latitude is None else pytest.approx(latitude, abs=0.01))
