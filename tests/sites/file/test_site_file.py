"""Site files: what they say, and one clear line for each thing that is wrong with them."""

import math
import re
from dataclasses import asdict

import numpy as np
import pytest

from hardware_profiles.errors import InputError
from sites.dispatch.year import site_year, summarise
from sites.file.build import load_site


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("mining_pue = 1.05", "mining_pue = 0.98", "key cooling.mining_pue: expected a PUE of 1 to 10, got 0.98"),
        ("mining_pue = 1.05", "", "expected cooling.mining_pue for a site with mining blocks, got none"),
        (
            "interconnect_mw = 10",
            "interconnect_mw = -10",
            "interconnect_mw: expected a number of 0.001 to 100,000 MW, got -10",
        ),
        ("interconnect_mw = 10", "interconnect_mw = true", "expected a number or {value, source, date}, got True"),
        ("interconnect_mw = 10", "interconnect_mw = 'ten'", "expected a number or {value, source, date}, got 'ten'"),
        ("interconnect_mw = 10", "interconnect_mw = nan", "expected a number of 0.001 to 100,000 MW, got nan"),
        ("interconnect_mw = 10", "interconnect_kw = 10", "key power.interconnect_kw: expected a known key"),
        ("interconnect_mw = 10", "interconnect_mw = {value = 1, sorce = 'x'}", "(did you mean source?)"),
        ("pool_fee_percent = 1", "pool_fee_percent = 101", "expected a share of 0 to below 100 per cent, got 101"),
        ("pool_fee_percent = 1", "", "key mining[0].pool_fee_percent: expected a value"),
        (
            "[power]",
            "[power]\navailability_percent = 120",
            "availability_percent: expected a number of 0.01 to 100 per cent, got 120",
        ),
        (
            "[power]",
            "[power]\navailability_percent = 0",
            "availability_percent: expected a number of 0.01 to 100 per cent, got 0",
        ),
        ('device = "air"', 'device = "aire"', "expected a known one, got 'aire' (did you mean air"),
        ("facility_mw = 9", "", "expected one of count, facility_mw, interconnect_percent, got none"),
        ("facility_mw = 9", "facility_mw = 9\ncount = 3", "got count and facility_mw"),
        ("facility_mw = 9", "facility_mw = 0.001", "expected at least the 0.003"),
        ("start = 2026-01-01", "start = 'soon'", "key site.start: expected a"),
        ("start = 2026-01-01", "start = 2026-01-01\ntimezone = 'America/New_Yorck'", "did you mean America/New_York"),
        ("energy_usd_per_mwh = 40", "", "expected one of energy_usd_per_mwh, time_of_use, hourly, got none"),
        ("[price]", "[price]\ncurrency = 'EUR'", "expected currency_per_usd if and only if the currency is not USD"),
        ("[price]\nenergy", "[price\nenergy", "syntax error"),
        (
            "fees_percent_of_subsidy = 1",
            "",
            "expected one of fees_percent_of_subsidy, fees_percent_by_month, fees_btc_per_block, got none",
        ),
        (
            "fees_percent_of_subsidy = 1",
            "fees_percent_by_month = [1, 2]",
            "fees_percent_by_month: expected 12 numbers",
        ),
        ("btc_usd = 80000", "btc_usd = 0", "key market.btc_usd: expected a number of 0.0001 to 1,000,000,000 USD/BTC"),
        (
            "btc_usd = 80000",
            "btc_usd = {value = 80000, source = 'a page', date = '2025-99'}",
            "key market.btc_usd.date: expected a date that exists (YYYY, YYYY-MM, YYYY-MM-DD, YYYY-Qn) or unknown, got",
        ),
        (
            "btc_usd = 80000",
            "btc_usd = {value = 80000, source = 'a page', date = '2099'}",
            "key market.btc_usd.date: expected a date that is not in the future, got '2099'",
        ),
        ("btc_usd = 80000", "btc_usd = 1e308", "to 1,000,000,000 USD/BTC, got 1e+308"),
        ("btc_usd = 80000", "btc_usd = 1e-320", "USD/BTC, got 9.99989e-321"),
        ("interconnect_mw = 10", "interconnect_mw = 1e300", "key power.interconnect_mw: expected a number of 0.001 to"),
        ("facility_mw = 9", "facility_mw = 1e300", "expected a number of 0.001 to 100,000 MW, got 1e+300"),
        ("facility_mw = 9", "count = 1e300", "count: expected a whole number of 1 to 100,000,000, got 1e+300"),
        (
            "energy_usd_per_mwh = 40",
            "energy_usd_per_mwh = 1e308",
            "key price.energy_usd_per_mwh: expected a number",
        ),
        ("start = 2026-01-01", "start = 9999-12-31", "key site.start: expected a day of 2009-01-05 to 2099-12-31, got"),
        ("start = 2026-01-01", "start = 1900-01-01", "key site.start: expected a day of 2009-01-05 to 2099-12-31, got"),
        (
            "fees_percent_of_subsidy = 1",
            f"fees_percent_by_month = {[1] * 11 + [1e308]}",
            "key market.fees_percent_by_month: expected numbers of 0 to 1,000,000 per cent of the subsidy, got",
        ),
    ],
)
def test_a_mistake_is_one_line_with_place_key_expected_and_got(edited, old, new, message):
    with pytest.raises(InputError) as caught:
        edited(old, new)
    text = str(caught.value)
    assert message in text
    assert "edited.toml" in text
    assert "\n" not in text


@pytest.mark.parametrize("value", [-1e308, -1.0, 0.0, 1e-320, 1e-5, 99.9999999999999, 1e4, 1e9, 1e308])
def test_any_number_in_any_key_gives_a_finite_year_or_one_line_that_names_the_file(full_site_file, resolve, value):
    text = full_site_file.read_text(encoding="utf-8")
    numbers = [found for found in re.finditer(r"(?<![\w-])-?\d[\d.]*(?=[\],\n ])", text) if "T" not in found[0]]
    assert len(numbers) > 80
    for found in numbers:
        full_site_file.write_text(f"{text[: found.start()]}{value!r}{text[found.end() :]}", encoding="utf-8")
        refused, figures = "", []
        try:
            year = site_year(load_site(full_site_file, resolve))
        except InputError as error:
            refused = str(error)
        else:
            figures = [given for given in asdict(summarise(year)).values() if isinstance(given, float)]
        line = text[text.rfind("\n", 0, found.start()) + 1 :].partition("\n")[0]
        assert figures or ("everything.toml" in refused and "expected" in refused), line
        assert all(map(math.isfinite, figures)), line


@pytest.mark.parametrize(
    ("add", "message"),
    [
        ('[[mining]]\nname = "miners"\ndevice = "air"\ncount = 1\npool_fee_percent = 0', "got 'miners' twice"),
        (
            "[price.contract]\nmw = 11\nusd_per_mwh = 1\nresale_discount_usd_per_mwh = 0",
            "key price.contract.mw: expected at most power.interconnect_mw (10), got 11",
        ),
        (
            "[curtailment]\nenrolled_mw = 1000",
            "key curtailment.enrolled_mw: expected at most power.interconnect_mw (10)",
        ),
        ("[[power.outage]]\nstart = 5\nhours = 1", "key power.outage[0].start: expected a date or time, got 5"),
        (
            "[climate]\nmean_c_by_month = [1, 2]",
            "key climate.mean_c_by_month: expected 12 numbers, one for each",
        ),
        ("[climate]\nmean_c_by_month = 7", "expected a list of numbers"),
        ("[climate]\ndaily_swing_c = 1", "expected one of mean_c_by_month, hourly, got none"),
        ("[carbon]", "expected one of kg_per_mwh, table, mean, got none"),
        ("[carbon]\nkg_per_mwh = -1", "expected a number of 0 to 10,000 kg/MWh, got -1"),
        (
            "[curtailment]\ncredit_usd_per_mwh = 5\nevent = [{start = 2026-01-02T00:00:00Z, hours = 1, limit_mw = 3}]",
            "key enrolled_mw: expected at least the limit_mw of every event",
        ),
    ],
)
def test_tables_that_do_not_fit_together_are_refused(edited, add, message):
    with pytest.raises(InputError) as caught:
        edited(add=add)
    assert message in str(caught.value)


def test_every_value_is_listed_with_its_source_or_as_an_assumption(full_site_file, resolve):
    found = {a.key: a for a in load_site(full_site_file, resolve).assumptions}
    assert (found["power.interconnect_mw"].source, found["power.interconnect_mw"].date) == ("a contract", "2026-01-05")
    assert found["mining[old].pool_fee_percent"].source == "assumption"
    assert found["price.time_of_use.period[0].usd_per_mwh"].value == 140
    assert found["inference[serve].demand_profile"].value == "business"
    assert found["mining[old].device"].source == "profile or result"
    assert found["market.fees_percent_by_month"].value.startswith("1, 1, 1, 2")


def test_prices_in_another_currency_come_at_the_stated_rate(edited):
    usd, eur = edited(), edited("[price]", "[price]\ncurrency = 'EUR'\ncurrency_per_usd = 0.8")
    assert eur.spot_usd_per_mwh[0] == pytest.approx(usd.spot_usd_per_mwh[0] / 0.8)


MORE = "[[mining]]\nname = 'more'\ndevice = 'air'\ninterconnect_percent = 100"


def test_keys_outside_of_price_stay_usd_and_the_currency_is_listed(edited):
    eur = edited(
        "[price]",
        "[price]\ncurrency = 'EUR'\ncurrency_per_usd = 0.8",
        "[cost]\nfixed_usd_per_year = 1000\n[curtailment]\nenrolled_mw = 5\nready_usd_per_mw_hour = 3",
    )
    assert (eur.fixed_usd_per_year, eur.ready_usd_per_mw_hour) == (1000.0, 3.0)
    assert next(a.value for a in eur.assumptions if a.key == "price.currency") == "EUR"


@pytest.mark.parametrize(
    ("old", "new", "flag"),
    [
        (
            "[market]",
            "[price.contract]\nmw = 5\nusd_per_mwh = 40\nresale_discount_usd_per_mwh = -1000\n[market]",
            "resale price above the market price in 8760 hours, by up to 1,000.00 USD/MWh",
        ),
        (
            "[cooling]",
            "[[power.outage]]\nstart = 2027-02-01\nhours = 5\n[cooling]",
            "power.outage[0] at 2027-02-01T00:00Z is outside the year (2026-01-01T00:00Z to 2027-01-01T00:00Z)",
        ),
        (
            "[market]",
            "[price.coincident]\nusd_per_kw_year = 1\nhours = [2026-07-01, 2025-07-01]\n[market]",
            "price.coincident.hours[1] at 2025-07-01T00:00Z is outside the year",
        ),
        (
            "facility_mw = 9",
            f"interconnect_percent = 100\npool_fee_percent = 1\n{MORE}",
            "all blocks at full load draw 20 MW at the meter (miners 9.9",
        ),
        ("facility_mw = 9", "facility_mw = 12", "all blocks at full load draw 12"),
        ("facility_mw = 9", "count = 4000", "all blocks at full load draw"),
    ],
)
def test_what_is_allowed_and_unusual_is_flagged_by_name(edited, old, new, flag):
    assert any(given.startswith(flag) for given in edited(old, new).flags)


def test_a_closed_form_year_of_one_block_at_a_flat_price(edited):
    from sites.market.mining import expected_btc

    site = edited()
    year = site_year(site)
    (block,) = site.mining
    btc = expected_btc(block.count * 138e12, site.start_s, site.start_s + 8760 * 3600, fees_frac=0.01) * 0.99
    assert year.blocks[0].btc == pytest.approx(btc, rel=1e-12)
    assert year.energy_usd == pytest.approx(block.count * 3050 * 1.05 / 1e6 * 8760 * 40, rel=1e-12)
    assert summarise(year).btc_per_day == pytest.approx(btc / 365, rel=1e-12)


def test_difficulty_points_of_a_site_file_are_used_and_labelled(edited):
    point = "[[market.difficulty]]\nstart = 2026-07-15\ndifficulty = 2.5e14\n[[mining]]"
    held, given = site_year(edited()), site_year(edited("[[mining]]", point))
    assert given.blocks[0].btc < held.blocks[0].btc
    assert "1 point of the site file" in summarise(given).difficulty_path
    with pytest.raises(InputError, match=r"key market.difficulty\[0\].difficulty: expected a number of 1 to"):
        edited("[[mining]]", point.replace("2.5e14", "0.5"))


def test_a_leap_year_has_8784_hours(edited):
    site = edited("start = 2026-01-01", "start = 2028-01-01")
    assert site.hours == 8784
    assert np.isfinite(site_year(site).net_usd)


def test_a_pps_pool_keeps_the_fees(edited):
    fpps, pps = (
        site_year(edited("pool_fee_percent = 1", f"pool_fee_percent = 1\npayout = '{how}'")) for how in ("fpps", "pps")
    )
    assert fpps.blocks[0].btc == pytest.approx(1.01 * pps.blocks[0].btc)
