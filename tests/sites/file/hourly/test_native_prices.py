"""A native year takes the prices of a market file at their own resolution."""

import pytest
from doubles.feeds.america import ercot
from doubles.feeds.europe import entsoe
from doubles.feeds.others import aemo
from doubles.feeds.truth import HOUR_S, steps, time_s, year

from sites.dispatch.year import site_year
from sites.file.inputs import read_inputs
from sites.native import native_gap

TEXAS, OSLO, ADELAIDE = "America/Chicago", "Europe/Oslo", "Australia/Adelaide"
OCTOBER = time_s(OSLO, 2025, 10, 1)
SITE = """
site = {{ name = "Prices", timezone = "{zone}", start = 2025-01-01 }}
power = {{ interconnect_mw = 10 }}
cooling = {{ mining_pue = 1.05 }}
market = {{ btc_usd = 80000, fees_percent_of_subsidy = 1 }}
mining = [{{ name = "miners", device = "air", facility_mw = 9, pool_fee_percent = 1 }}]
[price]
currency = "{currency}"
{rate}
hourly = {{ file = "file.csv", {hourly} }}
"""


@pytest.fixture
def sites(tmp_path, resolve):
    """Return the inputs and the site of a market file, in hours and native."""

    def read(text, hourly, zone, currency="USD"):
        (tmp_path / "file.csv").write_bytes(text if isinstance(text, bytes) else text.encode())
        rate = "" if currency == "USD" else "currency_per_usd = 1.0"
        toml = SITE.format(zone=zone, currency=currency, rate=rate, hourly=hourly)
        (tmp_path / "site.toml").write_text(toml, encoding="utf-8")
        return [read_inputs(tmp_path / "site.toml", resolve, native=native)[0] for native in (False, True)]

    return read


def around(zone, minutes):
    """Return the steps of the year 2025 of a zone, an hour longer at both ends."""
    first_s, last_s = year(zone)
    return steps(first_s // HOUR_S * HOUR_S - HOUR_S, last_s + HOUR_S, minutes)


@pytest.mark.parametrize(
    ("text", "minutes", "hourly", "place"),
    [
        (lambda: ercot.real_time(around(TEXAS, 15)), 15, 'feed = "ercot-rtm", point = "LZ_WEST"', (TEXAS, "USD")),
        (lambda: aemo.prices(around(ADELAIDE, 5)), 5, 'feed = "aemo"', (ADELAIDE, "AUD")),
    ],
    ids=["ERCOT real time", "AEMO"],
)
def test_each_step_has_its_own_price(sites, text, minutes, hourly, place):
    (inputs, coarse), (_, fine) = sites(text(), hourly, *place)
    first_s, last_s = year(place[0])
    assert fine.calendar.step_s == coarse.price_step_s == 60 * minutes
    at = {step.start_s: step.price for step in around(place[0], minutes)}
    truth = [at[start_s] for start_s in range(first_s, last_s, 60 * minutes)]
    assert fine.spot_usd_per_mwh == pytest.approx(truth, abs=1e-9)
    assert any("hourly means" in note for note in coarse.notes)
    assert not any("means" in note for note in fine.notes)
    gap = native_gap(inputs, site_year(coarse))
    assert gap.net_usd == site_year(fine).net_usd
    assert gap.step_minutes == minutes


def test_hours_before_a_change_to_quarters_hold_their_price(sites):
    first_s, last_s = year(OSLO)
    changing = [*steps(first_s, OCTOBER), *steps(OCTOBER, last_s, 15)]
    text = entsoe.web(("BZN|NO1", entsoe.WITHOUT, changing))
    _, (_, fine) = sites(text, 'feed = "entsoe-cet"', OSLO, "EUR")
    assert fine.calendar.step_s == 900
    at = {step.start_s: step.price for step in changing}
    hours = [at[start_s] for start_s in range(first_s, OCTOBER, HOUR_S) for _ in range(4)]
    quarters = [at[start_s] for start_s in range(OCTOBER, last_s, 900)]
    assert fine.spot_usd_per_mwh == pytest.approx([*hours, *quarters], abs=1e-9)
