"""Twenty sites as they are run in the world: none of their numbers is doubted, however cheap, dear or foreign."""

from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from bench.device_rates import resolve_device
from sites.examples import capital_path, example_names, example_path
from sites.file.build import load_site
from sites.file.inputs import read_inputs
from sites.file.values import numbers_of

GPU = """
[[inference]]
name = "gpus"
device = "llm:llama-3.3-70b:fp8:nvidia-h200x2:1000:1000"
{size}
demand_percent = {demand}
idle_percent = 25
network_overhead_percent = 5
{price}
"""


def hourly(seed, mean, spread, *, floor=-1000.0, spikes=(), cap=5000.0):
    """Prices of a year with noise, hours at a floor and spikes to a cap."""
    prices = np.random.default_rng(seed).normal(mean, spread, 8760)
    prices = np.maximum(prices, floor)
    for hour in spikes:
        prices[hour : hour + 3] = cap
    return prices


TEXAS = hourly(1, 28, 22, floor=-40, spikes=(5400, 5424, 900), cap=5000)
NORWAY_NORTH = hourly(2, 95, 70, floor=-110)  # NOK: cheap, with negative hours
NORWAY_SOUTH = hourly(3, 620, 400, floor=-650, spikes=(200,), cap=9000)  # NOK
AUSTRALIA = hourly(4, 90, 120, floor=-1000, spikes=(100, 4000), cap=20_300)  # AUD
GERMANY = hourly(5, 80, 55, floor=-500, spikes=(8100,), cap=936)
FINLAND = hourly(6, 42, 45, floor=-500)
ALBERTA = hourly(7, 60, 40, floor=0, spikes=(3000,), cap=999.99)  # CAD

# name, region, zone, MW, price lines, hourly prices, mining PUE, blocks
REAL = [
    ("Corsicana", "us-texas", "America/Chicago", 700, "hourly = {f}\ndelivery_usd_per_mwh = 1.5", TEXAS, 1.05,
     "antminer-s21-xp-hyd"),
    ("Rockdale with 4CP", "ERCOT", "America/Chicago", 25, ("energy_usd_per_mwh = 33\n[price.coincident]\n"
     "usd_per_kw_year = 67\nhours = [2026-06-25T22:00:00Z, 2026-07-20T22:00:00Z]"), None, 1.04, "antminer-s21:200t"),
    ("Odessa, wind", "West Texas", "America/Chicago", 120, "energy_usd_per_mwh = 18", None, 1.06, "whatsminer-m60s"),
    ("El Paso", "texas", "America/Denver", 10, "energy_usd_per_mwh = 39", None, 1.05, "antminer-s19-xp"),
    ("Addis Ababa", "ethiopia", "Africa/Addis_Ababa", 60, "energy_usd_per_mwh = 32", None, 1.05, "antminer-s21:200t"),
    ("Hawassa in birr", "Ethiopia", "Africa/Addis_Ababa", 20, ('currency = "ETB"\ncurrency_per_usd = 152\n'
     "energy_usd_per_mwh = 4560"), None, 1.05, "antminer-s19-xp"),
    ("Salalah", "oman", "Asia/Muscat", 150, "energy_usd_per_mwh = 36", None, 1.08, "antminer-s21-hyd"),
    ("Sohar in rials", "Oman", "Asia/Muscat", 11, ('currency = "OMR"\ncurrency_per_usd = 0.3845\n'
     "energy_usd_per_mwh = 14"), None, 1.07, "antminer-s21-xp-hyd"),
    ("Villarrica", "paraguay", "America/Asuncion", 100, "energy_usd_per_mwh = 44.3", None, 1.04, "antminer-s21:200t"),
    ("Hernandarias in guarani", "Paraguay", "America/Asuncion", 12, ('currency = "PYG"\ncurrency_per_usd = 7400\n'
     "energy_usd_per_mwh = 331000\ndemand_charge_usd_per_kw_month = 38000"), None, 1.05, "antminer-s19-xp"),
    ("Ekibastuz", "kazakhstan", "Asia/Almaty", 80, ('currency = "KZT"\ncurrency_per_usd = 522\n'
     "energy_usd_per_mwh = 26500"), None, 1.03, "antminer-s19-xp"),
    ("Baie-Comeau", "quebec", "America/Toronto", 50, ('currency = "CAD"\ncurrency_per_usd = 1.38\n'
     "energy_usd_per_mwh = 36.8\ndemand_charge_usd_per_kw_month = 14.6"), None, 1.03, "antminer-s21:200t"),
    ("Medicine Hat", "ca-alberta", "America/Edmonton", 40, 'currency = "CAD"\ncurrency_per_usd = 1.37\nhourly = {f}',
     ALBERTA, 1.04, "antminer-s21:200t"),
    ("Macon", "us-georgia", "America/New_York", 50, "energy_usd_per_mwh = 42", None, 1.05, "antminer-s19-xp"),
    ("Kutaisi", "Georgia", "Asia/Tbilisi", 20, 'currency = "GEL"\ncurrency_per_usd = 2.72\nenergy_usd_per_mwh = 150',
     None, 1.05, "antminer-s19-xp"),
    ("Tromsø", "NO4", "Europe/Oslo", 15, 'currency = "NOK"\ncurrency_per_usd = 10.4\nhourly = {f}', NORWAY_NORTH,
     1.02, "antminer-s21-hyd"),
    ("Kristiansand", "norway", "Europe/Oslo", 30, ('currency = "NOK"\ncurrency_per_usd = 10.1\nhourly = {f}\n'
     "delivery_usd_per_mwh = 60"), NORWAY_SOUTH, 1.03, GPU.format(size="gpus = 4096", demand=55,
     price="usd_per_gpu_hour = 2.3")),
    ("Adelaide", "au-south-australia", "Australia/Adelaide", 9, ('currency = "AUD"\ncurrency_per_usd = 1.53\n'
     "hourly = {f}"), AUSTRALIA, 1.06, "whatsminer-m50s"),
    ("Frankfurt", "DE-LU", "Europe/Berlin", 40, ('currency = "EUR"\ncurrency_per_usd = 0.87\nhourly = {f}\n'
     "delivery_usd_per_mwh = 31\ndemand_charge_usd_per_kw_month = 9"), GERMANY, 1.1,
     GPU.format(size="interconnect_percent = 90\ngpus_per_module = 64", demand=40,
     price='usd_per_mtok = 0.21\nprice_class = "batch"')),
    ("Oulu, colocation", "finland", "Europe/Helsinki", 22, 'currency = "EUR"\ncurrency_per_usd = 0.91\nhourly = {f}',
     FINLAND, 1.1, GPU.format(size="facility_mw = 18", demand=100,
     price="usd_per_kw_month = 145\ntenant_pays_energy = true")),
    ("Iceland", "iceland", "Atlantic/Reykjavik", 30, "energy_usd_per_mwh = 38", None, 1.02, "antminer-s21-xp-hyd"),
    ("Garage", "us-ohio", "America/New_York", 0.01, "energy_usd_per_mwh = 120", None, 1.0, "ONE"),
    ("Dresden, New York", "us-new-york", "America/New_York", 44, "energy_usd_per_mwh = 29", None, 1.04,
     "antminer-s19-pro"),
    ("Thimphu", "bhutan", "Asia/Thimphu", 100, 'currency = "BTN"\ncurrency_per_usd = 85.6\nenergy_usd_per_mwh = 3700',
     None, 1.04, "antminer-s21:200t"),
]  # fmt: skip


NORTHERN = [-9, -4, 3, 9, 15, 24, 36, 34, 22, 12, 3, -6]
SOUTHERN_ZONES = ("America/Asuncion", "Australia/Adelaide")


def write(tmp_path, row):
    name, region, zone, mw, price, prices, pue, device = row
    if prices is not None:
        first = datetime(2025, 12, 31, tzinfo=UTC)
        padded = np.concatenate([prices[:24], prices, prices[:24]])
        lines = [f"{(first + timedelta(hours=at)).isoformat()},{value:.2f}" for at, value in enumerate(padded)]
        (tmp_path / "prices.csv").write_text("\n".join(["time,price", *lines]), encoding="utf-8")
        price = price.replace("{f}", '{file = "prices.csv", column = "price"}')
    block = device if "[[" in device else "[[mining]]\npool_fee_percent = 1\nrejects_percent = 0.3\n" + (
        'device = "antminer-s21:200t"\ncount = 1\n' if device == "ONE"
        else f'device = "{device}"\ninterconnect_percent = 95\n'
    )  # fmt: skip
    months = NORTHERN if zone not in SOUTHERN_ZONES else [*NORTHERN[6:], *NORTHERN[:6]]
    path = tmp_path / "site.toml"
    path.write_text(
        f'[site]\nname = "{name}"\nregion = "{region}"\ntimezone = "{zone}"\nstart = 2026-01-01\n'
        f"[power]\ninterconnect_mw = {mw}\nlosses_percent = 1.5\navailability_percent = 97\n"
        f"[climate]\nmean_c_by_month = {months}\ndaily_swing_c = 11\n"
        f"[cooling]\nmining_pue = {pue}\ngpu_pue = 1.2\n[price]\n{price}\n"
        f"[market]\nbtc_usd = 84714\nfees_percent_of_subsidy = 0.8\ndifficulty_growth_percent_per_year = 20\n{block}",
        encoding="utf-8",
    )
    return path


@pytest.mark.parametrize("row", REAL, ids=[row[0] for row in REAL])
def test_a_real_site_is_not_doubted(tmp_path, row):
    assert len(REAL) >= 20
    assert load_site(write(tmp_path, row), resolve_device).flags == ()


@pytest.mark.parametrize("name", example_names())
def test_a_bundled_example_is_not_doubted(name):
    assert [site.flags for _, site in read_inputs(example_path(name), resolve_device) if site.flags] == []


@pytest.mark.parametrize(
    "path", sorted(capital_path("4451-btc-for-gpu-modules").parent.glob("*.toml")), ids=lambda p: p.stem
)
def test_a_bundled_plan_is_not_doubted(path):
    from sites.capital.file import read_plan
    from sites.plausible.checks import plan_doubts

    assert plan_doubts(list(numbers_of(read_plan(path))), path) == ()


def test_what_a_reader_should_know_of_foreign_and_negative_prices_is_noted(tmp_path):
    row = next(row for row in REAL if row[0] == "Tromsø")
    notes = load_site(write(tmp_path, row), resolve_device).notes
    assert any(note.startswith("mean price of power: ") and " NOK = " in note for note in notes)
    assert any(note.startswith("price below 0 in ") for note in notes)


def test_an_amount_of_another_currency_is_printed_in_both(tmp_path):
    row = ("Lyon", "fr", "Europe/Paris", 5, 'currency = "EUR"\ncurrency_per_usd = 0.926\nenergy_usd_per_mwh = 42', None)
    (note,) = load_site(write(tmp_path, (*row, 1.05, "antminer-s21:200t")), resolve_device).notes
    assert note == "mean price of power: 42 EUR = 45.3564 USD/MWh, at 0.926 EUR for one USD"


def of_month(prices, month_hours=744):
    return np.concatenate([prices[:month_hours] / 1000, prices[month_hours:]])


@pytest.mark.parametrize(
    ("name", "slip", "message"),
    [
        ("Corsicana", lambda prices: prices / 1000, "as the mean of its hours (per kWh? write 32.9)"),
        ("Corsicana", lambda prices: prices / 10, "as the mean of its hours (in cents per kWh? write 32.96)"),
        ("Corsicana", lambda prices: -prices, "the wrong sign? write 32.96"),
        ("Frankfurt", of_month, "expected one unit in all months, got a median of 0.0"),
        ("Oulu, colocation", lambda prices: np.where(np.arange(8760) == 9, 42_000, prices), "thousands separator"),
    ],
)
def test_a_slip_in_a_column_of_prices_is_named(tmp_path, name, slip, message):
    row = next(row for row in REAL if row[0] == name)
    flags = load_site(write(tmp_path, (*row[:5], slip(row[5]), *row[6:])), resolve_device).flags
    assert any("key price.hourly: " in flag and message in flag for flag in flags), flags
