"""`[price] hourly` takes a market file as it was downloaded, or a table that the user describes."""

import pytest
from doubles.feeds.america import caiso, ercot, nyiso, pjm
from doubles.feeds.europe import energy_charts, entsoe, smard
from doubles.feeds.others import aemo, carbon, frames
from doubles.feeds.truth import HOUR_S, hourly, local, steps, time_s, year

from hardware_profiles.errors import InputError
from sites.changes import changes_since
from sites.dispatch.year import site_year
from sites.file.build import load_site
from sites.file.inputs import read_inputs
from sites.planners.package import write_package

TEXAS, CALIFORNIA, NEW_YORK = "America/Chicago", "America/Los_Angeles", "America/New_York"
BERLIN, OSLO, ADELAIDE, BRISBANE = "Europe/Berlin", "Europe/Oslo", "Australia/Adelaide", "Australia/Brisbane"
OCTOBER = time_s(OSLO, 2025, 10, 1)
POINT = 'point = "HB_HOUSTON"'


def of(zone, minutes=60):
    """Return the steps of the year 2025 of a zone, an hour longer at both ends."""
    first_s, last_s = year(zone)
    return steps(first_s // HOUR_S * HOUR_S - HOUR_S, last_s + HOUR_S, minutes)


def changing():
    """Return hours to the end of September and quarter-hours from October on."""
    first_s, last_s = year(OSLO)
    return [*steps(first_s, OCTOBER), *steps(OCTOBER, last_s, 15)]


def site_with(folder, hourly, zone=TEXAS, currency="USD"):
    """Write the small site with a price; return its file."""
    money = "" if currency == "USD" else f'currency = "{currency}"\ncurrency_per_usd = 1.0\n'
    text = f"""
[site]
name = "Prices"
timezone = "{zone}"
start = 2025-01-01
[power]
interconnect_mw = 10
[cooling]
mining_pue = 1.05
[price]
{money}hourly = {{ {hourly} }}
[market]
btc_usd = 80000
fees_percent_of_subsidy = 1
[[mining]]
name = "miners"
device = "air"
facility_mw = 9
pool_fee_percent = 1
"""
    (folder / "site.toml").write_text(text, encoding="utf-8")
    return folder / "site.toml"


@pytest.fixture
def loaded(tmp_path, resolve):
    def load(text, hourly, zone=TEXAS, currency="USD"):
        (tmp_path / "file.csv").write_bytes(text if isinstance(text, bytes) else text.encode())
        return load_site(site_with(tmp_path, f'file = "file.csv", {hourly}', zone, currency), resolve)

    return load


@pytest.mark.parametrize(
    ("text", "hourly_table", "zone", "currency"),
    [
        (lambda: ercot.day_ahead(of(TEXAS)), f'feed = "ercot-dam", {POINT}', TEXAS, "USD"),
        (lambda: ercot.real_time(of(TEXAS, 15)), 'feed = "ercot-rtm", point = "LZ_WEST"', TEXAS, "USD"),
        (lambda: pjm.text(pjm.DAY_AHEAD, of(NEW_YORK)), 'feed = "pjm-da"', NEW_YORK, "USD"),
        (
            lambda: caiso.text(caiso.DAY_AHEAD, of(CALIFORNIA)),
            'feed = "caiso-dam", where = { LMP_TYPE = "LMP" }',
            CALIFORNIA,
            "USD",
        ),
        (lambda: nyiso.hourly(of(NEW_YORK)), 'feed = "nyiso", point = "CAPITL"', NEW_YORK, "USD"),
        (lambda: entsoe.web(("BZN|NO1", entsoe.WITHOUT, changing())), 'feed = "entsoe-cet"', OSLO, "EUR"),
        (lambda: smard.new({smard.GERMANY: of(BERLIN)}), 'feed = "smard"', BERLIN, "EUR"),
        (
            lambda: energy_charts.commas({energy_charts.GERMANY: of(BERLIN)}),
            'feed = "energy-charts"',
            BERLIN,
            "EUR",
        ),
        (lambda: aemo.prices(of(BRISBANE, 5)), 'feed = "aemo"', BRISBANE, "AUD"),
        (lambda: frames.gridstatus(of(TEXAS)), 'feed = "gridstatus"', TEXAS, "USD"),
        (lambda: frames.entsoe_py(of(BERLIN)), 'feed = "entsoe-py"', BERLIN, "EUR"),
    ],
    ids=[
        "ERCOT day-ahead", "ERCOT real time", "PJM", "CAISO", "NYISO", "ENTSO-E", "SMARD", "Energy-Charts", "AEMO",
        "gridstatus", "entsoe-py",
    ],
)  # fmt: skip
def test_an_export_as_downloaded_gives_a_site_the_hourly_truth(loaded, text, hourly_table, zone, currency):
    site = loaded(text(), hourly_table, zone, currency)
    assert site.spot_usd_per_mwh == pytest.approx(list(hourly(*year(zone)).values()), abs=1e-9)


def test_a_site_of_half_an_hour_has_the_mean_of_its_own_hours(loaded):
    site = loaded(aemo.prices(of(ADELAIDE, 5)), 'feed = "aemo"', ADELAIDE, "AUD")
    first_s = year(ADELAIDE)[0]
    assert first_s % HOUR_S == 1800
    text = {step.start_s: step.price for step in of(ADELAIDE, 5)}
    hour = [text[first_s + 300 * at] for at in range(12)]
    assert site.spot_usd_per_mwh[0] == pytest.approx(sum(hour) / 12)


def test_shorter_intervals_become_hourly_means_and_the_count_is_said(loaded):
    site = loaded(ercot.real_time(of(TEXAS, 15)), 'feed = "ercot-rtm"')
    assert site.notes[0] == "35,040 prices of 15 minutes (file.csv: ercot-rtm, LZ_WEST, LZ): hourly means"


def test_missing_prices_are_refused_unless_a_rule_fills_them(loaded):
    lines = ercot.day_ahead(of(TEXAS), ("HB_WEST",)).splitlines()
    del lines[100:103]
    text = "\n".join(lines)
    with pytest.raises(InputError, match=r"expected all 8760 .* \(3 missing\); fill = "):
        loaded(text, 'feed = "ercot-dam"')
    site = loaded(text, 'feed = "ercot-dam", fill = "previous"')
    assert site.notes[0] == "file.csv: 3 missing intervals have the price of the interval before them"
    truth = list(hourly(*year(TEXAS)).values())
    assert site.spot_usd_per_mwh[97:102] == pytest.approx([truth[97]] * 4 + truth[101:102])


DESCRIBED = 'time = "start", value = "price", unit = "EUR/MWh"'


def table(steps, form, separator=",", decimal=".", extra=None):
    """Return a table of a column for the start and one for the price; `form` writes the time."""
    rows = (
        ["start", *(name for name in [extra] if name), "price"],
        *(
            [form(step), *(value for value in ["a"] if extra), f"{step.price:.2f}".replace(".", decimal)]
            for step in steps
        ),
    )
    return "\n".join(separator.join(row) for row in rows)


def local_form(zone, form="%Y-%m-%d %H:%M"):
    return lambda step: local(zone, step.start_s).strftime(form)


@pytest.mark.parametrize(
    ("text", "keys"),
    [
        (lambda: table(of(BERLIN), local_form("UTC", "%Y-%m-%dT%H:%MZ")), ""),
        (
            lambda: table(of(BERLIN), local_form(BERLIN), ";", ","),
            f'separator = ";", decimal = ",", timezone = "{BERLIN}", repeated_hour = "order"',
        ),
        (
            lambda: table(of(BERLIN), local_form("UTC", "%d/%m/%Y %H:%M")),
            'timezone = "UTC", time_format = "%d/%m/%Y %H:%M"',
        ),
        (lambda: table(of(BERLIN, 15), local_form("Etc/GMT-1"), "\t"), 'separator = "\\t", timezone = "UTC+01:00"'),
    ],
    ids=["UTC", "local time in the order of the file", "days first", "quarter-hours of a fixed offset"],
)
def test_a_described_table_gives_a_site_the_hourly_truth(loaded, text, keys):
    site = loaded(text(), ", ".join(filter(None, [DESCRIBED, keys])), BERLIN, "EUR")
    assert site.spot_usd_per_mwh == pytest.approx(list(hourly(*year(BERLIN)).values()), abs=1e-9)


def test_a_label_at_the_end_and_a_price_per_kwh_are_as_stated(loaded):
    rows = (f"{local('UTC', step.end_s).isoformat()},{step.price / 1000:.5f}" for step in of("UTC"))
    text = "\n".join(["start,price", *rows])
    keys = 'time = "start", value = "price", unit = "USD/kWh", label = "end"'
    site = loaded(text, keys, "UTC")
    assert site.spot_usd_per_mwh == pytest.approx(list(hourly(*year("UTC")).values()), abs=1e-9)
    assert site.notes[0] == "file.csv: prices in USD/kWh are multiplied by 1000"


@pytest.mark.parametrize(
    ("keys", "message"),
    [
        ('feed = "ercot-dam"', "file.csv: expected one point, got 3: HB_HOUSTON, HB_WEST, LZ_WEST (choose with"),
        ('feed = "ercot-dam", point = "HB_HUSTON"', "got 'HB_HUSTON' (did you mean HB_HOUSTON"),
        ('feed = "ercot-dma"', "file.csv: feed: expected a feed that `perwatt feed list` shows, got 'ercot-dma'"),
        ('feed = "pjm-da"', "file.csv: expected the columns of pjm-da, got those of ercot-dam"),
        ('feed = "ercot-dam", where = { area = "X" }', "file.csv: expected a choice of point, got 'area'"),
        (
            f'feed = "ercot-dam", {POINT}, unit = "USD/MWh"',
            "key price.hourly.unit: expected this key only with `va",
        ),
        (
            'value = "SettlementPointPrice", unit = "USD/MWh"',
            "key price.hourly.time: expected a value (the key is required with",
        ),
        ('column = "price", point = "A"', "key price.hourly.point: expected this key only with `feed`"),
        ('column = "price", fill = "previous"', "key price.hourly: expected where and fill only with"),
        (
            'feed = "ercot-dam", column = "price"',
            "key price.hourly: expected one of column, feed, value, got col",
        ),
        ("", "key price.hourly: expected one of column, feed, value, got none"),
        (
            'time = "HourEnding", value = "Price", unit = "USD/MWh"',
            "file.csv: expected columns HourEnding, Price, separated by a comma, got 'DeliveryDate,HourEnding,",
        ),
        (
            'time = "HourEnding", value = "SettlementPointPrice", unit = "USD/MWh", timezone = "Europa/Berlin"',
            "file.csv: timezone: expected an IANA time zone, got 'Europa/Berlin' (did you mean Europe/Berlin",
        ),
        (
            'time = "HourEnding", value = "SettlementPointPrice", unit = "USD/MWh"',
            "file.csv: line 2: HourEnding: expected a time as ISO 8601 (else state time_format), got '24:00'",
        ),
    ],
)
def test_a_wrong_choice_is_refused_in_one_line(loaded, keys, message):
    with pytest.raises(InputError) as caught:
        loaded(ercot.day_ahead(of(TEXAS)), keys)
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("text", "name"),
    [
        (lambda: ercot.day_ahead(of(TEXAS)), "ercot-dam"),
        (lambda: smard.new({smard.GERMANY: of(BERLIN)}), "smard"),
        (lambda: frames.gridstatus(of(TEXAS)), "gridstatus"),
    ],
)
def test_a_market_file_that_is_taken_for_a_series_names_its_feed(loaded, text, name):
    with pytest.raises(InputError, match=f'got a market file of {name}: state feed = "{name}" in place of column'):
        loaded(text(), 'column = "price"')


def test_a_feed_in_another_currency_is_asked_about(loaded):
    with pytest.raises(InputError, match=r"expected prices in USD, the currency of \[price\], got EUR/MWh"):
        loaded(smard.new({smard.GERMANY: of(BERLIN)}), 'feed = "smard"', BERLIN)


def test_a_feed_of_something_else_is_refused(loaded):
    with pytest.raises(InputError, match="expected a feed of power prices, got electricity-maps"):
        loaded(carbon.electricity_maps(*year("UTC")), 'feed = "electricity-maps", where = { scope = "direct" }')


@pytest.mark.parametrize(
    ("form", "keys", "message"),
    [
        (local_form(BERLIN), "", "line 2: start: expected a time with an offset, because no timezone is stated"),
        (
            local_form(BERLIN),
            f', timezone = "{BERLIN}"',
            f"start: expected a time that exists once in {BERLIN}, got '2025-10-26 02:00'; if the order of the rows",
        ),
        (
            local_form("UTC"),
            f', timezone = "{BERLIN}"',
            f"start: expected a time that exists in {BERLIN}, got '2025-03-30 02:00'",
        ),
    ],
)
def test_a_local_time_without_a_rule_is_refused(loaded, form, keys, message):
    with pytest.raises(InputError) as caught:
        loaded(table(of(BERLIN), form), DESCRIBED + keys, BERLIN, "EUR")
    assert message in str(caught.value)


@pytest.mark.parametrize("label", ["start", "end"])
def test_a_described_table_without_rows_is_refused(loaded, label):
    with pytest.raises(InputError, match=r"file.csv: expected rows under the heading, got no row"):
        loaded("start,price", f'{DESCRIBED}, label = "{label}"', "UTC", "EUR")


def test_rows_of_two_series_need_where(loaded):
    twice = [step._replace(price=step.price + (at % 2)) for step in of("UTC") for at in (0, 1)]
    text = table(twice, local_form("UTC", "%Y-%m-%dT%H:%MZ"))
    with pytest.raises(InputError, match=r"expected one value of the interval from .* \(two products, or"):
        loaded(text, DESCRIBED, "UTC", "EUR")


def test_a_run_stores_the_market_file_and_notes_another_point(tmp_path, resolve):
    (tmp_path / "file.csv").write_text(ercot.day_ahead(of(TEXAS)), encoding="utf-8")
    text = f'file = "file.csv", feed = "ercot-dam", {POINT}'
    ((inputs, site),) = read_inputs(site_with(tmp_path, text), resolve)
    write_package(tmp_path / "out", [site_year(site, hourly=True)], [inputs], version="test", sam=False)
    assert not changes_since(tmp_path / "out", [inputs]).changes
    ((other, _),) = read_inputs(site_with(tmp_path, text.replace("HB_HOUSTON", "HB_WEST")), resolve)
    (change,) = changes_since(tmp_path / "out", [other]).changes
    assert change.key == "price.hourly"
    assert change.before == "file.csv, feed ercot-dam, point HB_HOUSTON"
    assert change.after == "file.csv, feed ercot-dam, point HB_WEST"
    assert change.net_usd != 0
    shown = {item.key: item.value for item in site.assumptions}
    assert shown["price.hourly"] == "file.csv, feed ercot-dam, point HB_HOUSTON"
