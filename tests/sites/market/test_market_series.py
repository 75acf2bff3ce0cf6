"""Prices of bitcoin, fees and rent over time: a past year is replayed at its own prices."""

from datetime import UTC, datetime, timedelta
from itertools import pairwise

import numpy as np
import pytest

from hardware_profiles.errors import InputError
from sites.changes import changes_since
from sites.dispatch.waterfall import waterfalls
from sites.dispatch.year import site_year
from sites.file.build import load_site
from sites.file.inputs import read_inputs
from sites.market.bitcoin import bundled_epochs, subsidy_sat
from sites.perspective.blocks import perspectives
from sites.planners.package import write_package
from sites.planners.sam import year_of_8760
from sites.scenarios.case import site_case
from sites.scenarios.causes import scaled
from sites.scenarios.defaults import default_model
from sites.sensitivity import effects_usd

YEAR = 2023
START = datetime(YEAR, 1, 1, tzinfo=UTC)
HOURS = 8760
NUMBER = "btc_usd = 80000\nfees_percent_of_subsidy = 1.0\n"
TH_S, WATTS, COUNT, PUE, POOL = 138.0, 3050.0, 1000, 1.05, 0.99
SITE = f"""
[site]
name = "Replay"
start = {YEAR}-01-01
[power]
interconnect_mw = 10
[cooling]
mining_pue = {PUE}
[price]
hourly = {{ file = "power.csv", column = "usd" }}
[market]
btc_usd = {{ file = "btc.csv", column = "close" }}
fees_btc_per_block = {{ file = "fees.csv", column = "btc" }}
[[mining]]
name = "miners"
device = "air"
count = {COUNT}
pool_fee_percent = 1
"""


def written(path, column, values, step):
    rows = [f"{START + step * row:%Y-%m-%dT%H:%MZ},{value!r}" for row, value in enumerate(values)]
    path.write_text("\n".join([f"time,{column}", *rows]), encoding="utf-8")


@pytest.fixture
def replay(tmp_path):
    """Return the path of a site of 2023 with made-up prices of power (hourly), bitcoin and fees (daily)."""
    r = np.random.default_rng(7)
    written(tmp_path / "power.csv", "usd", r.normal(60, 40, HOURS).tolist(), timedelta(hours=1))
    written(
        tmp_path / "btc.csv",
        "close",
        (20_000 + 60 * np.arange(365) + r.normal(0, 900, 365)).tolist(),
        timedelta(days=1),
    )
    written(tmp_path / "fees.csv", "btc", r.uniform(0.05, 1.5, 365).tolist(), timedelta(days=1))
    (tmp_path / "site.toml").write_text(SITE, encoding="utf-8")
    return tmp_path / "site.toml"


def column(path):
    return np.array([float(row.split(",")[1]) for row in path.read_text(encoding="utf-8").splitlines()[1:]])


def per_hash(amount_btc):
    """Return the mean over each hour of an amount a block over its hashes, from the table of epochs alone."""
    starts = np.array([epoch.start_unix for epoch in bundled_epochs()])
    hashes = np.array([epoch.hashes_per_block for epoch in bundled_epochs()])
    begin = int(START.timestamp())
    means = np.empty(HOURS)
    for hour in range(HOURS):
        first, last = begin + 3600 * hour, begin + 3600 * (hour + 1)
        cuts = [first, *(at for at in starts if first < at < last), last]
        means[hour] = sum(
            (after - before) / 3600 / hashes[np.searchsorted(starts, before, side="right") - 1]
            for before, after in pairwise(cuts)
        )
    return amount_btc * means


def test_a_past_year_is_replayed_at_its_own_prices(replay, resolve):
    """Revenue, bitcoin and cost of power of 2023, written down in NumPy without the model of the site."""
    folder = replay.parent
    power = column(folder / "power.csv")
    btc, fees = (np.repeat(column(folder / name), 24) for name in ("btc.csv", "fees.csv"))
    subsidy = subsidy_sat(800_000) / 1e8
    assert subsidy == 6.25
    reward = per_hash(subsidy + fees) * POOL  # [BTC/hash]
    hash_h = COUNT * TH_S * 1e12 * 3600.0
    meter_mw = COUNT * WATTS / 1e6 * PUE
    runs = hash_h * reward * btc > meter_mw * power
    year = site_year(load_site(replay, resolve))
    (block,) = year.blocks
    assert 0.2 < runs.mean() < 0.99
    assert block.revenue_usd == pytest.approx((hash_h * reward * btc)[runs].sum(), rel=1e-9)
    assert block.btc == pytest.approx((hash_h * reward)[runs].sum(), rel=1e-9)
    assert year.energy_usd == pytest.approx(meter_mw * power[runs].sum(), rel=1e-9)
    assert year.assumed_frac == 0.0
    assert year.site.notes[0].startswith("price of bitcoin: ")


def test_the_waterfall_and_the_hashprice_take_the_price_of_each_hour(replay, resolve):
    year = site_year(load_site(replay, resolve), hourly=True)
    (fall,) = waterfalls(year)
    assert fall.steps[-1].usd == pytest.approx(year.blocks[0].revenue_usd, rel=1e-9)
    folder = replay.parent
    btc, fees = (np.repeat(column(folder / name), 24) for name in ("btc.csv", "fees.csv"))
    expected = 1e15 * 86_400 * (per_hash(6.25 + fees) * btc).mean()
    (item,) = perspectives(year)
    assert item.mining.hashprice_usd_per_ph_s_day == pytest.approx(expected, rel=1e-6)


@pytest.mark.parametrize("unit", ["hours", "days"])
def test_a_series_of_one_value_is_that_number(replay, resolve, unit):
    step = timedelta(**{unit: 1})
    number = replay.with_name("number.toml")
    text = replay.read_text(encoding="utf-8")
    i, j = text.index("btc_usd"), text.index("[[mining]]")
    number.write_text(text[:i] + "btc_usd = 26000\nfees_btc_per_block = 0.25\n" + text[j:], encoding="utf-8")
    rows = HOURS if unit == "hours" else 365
    written(replay.with_name("btc.csv"), "close", [26_000.0] * rows, step)
    written(replay.with_name("fees.csv"), "btc", [0.25] * rows, step)
    series, constant = (site_year(load_site(path, resolve)) for path in (replay, number))
    assert series.net_usd == pytest.approx(constant.net_usd, rel=1e-12)
    assert series.blocks[0].btc == pytest.approx(constant.blocks[0].btc, rel=1e-12)


def test_fees_in_per_cent_may_be_a_series_too(replay, resolve):
    text = replay.read_text(encoding="utf-8").replace("fees_btc_per_block", "fees_percent_of_subsidy")
    replay.write_text(text, encoding="utf-8")
    shares = np.repeat(column(replay.with_name("fees.csv")), 24) / 100.0
    assert load_site(replay, resolve).fees_frac == pytest.approx(shares, rel=1e-12)


def test_a_file_of_coingecko_is_taken_as_downloaded(replay, resolve):
    days = column(replay.with_name("btc.csv"))
    rows = [f"{START + timedelta(days=row):%Y-%m-%d} 00:00:00 UTC,{usd:.2f},1,1" for row, usd in enumerate(days)]
    replay.with_name("gecko.csv").write_text("\n".join(["snapped_at,price,market_cap,total_volume", *rows]), "utf-8")
    text = replay.read_text(encoding="utf-8")
    old = '{ file = "btc.csv", column = "close" }'
    assert old in text
    replay.write_text(text.replace(old, '{ file = "gecko.csv", feed = "coingecko" }'), encoding="utf-8")
    assert load_site(replay, resolve).btc_path_usd == pytest.approx(np.repeat(days.round(2), 24), abs=1e-9)
    replay.write_text(text.replace(old, '{ file = "power.csv", feed = "coingecko" }'), encoding="utf-8")
    with pytest.raises(InputError, match=r"power.csv"):
        load_site(replay, resolve)


@pytest.mark.parametrize(
    ("table", "message"),
    [
        ('{ file = "btc.csv" }', "key market.btc_usd: expected one of column, feed, got none"),
        ('{ file = "btc.csv", colum = "close" }', "key market.btc_usd.colum: expected a known key, got an unknown key"),
        ('{ file = "btc.csv", column = "open" }', "btc.csv: key open: expected this column"),
        ('{ file = "btc.csv", column = 3 }', "key market.btc_usd.column: expected text, got 3"),
        ("{ value = -3 }", "key market.btc_usd: expected a number of 0.0001 to"),
        ("{ value = 3, wen = 2 }", "key market.btc_usd.wen: expected"),
        ('"dear"', "key market.btc_usd: expected a number or {value, source, date}, got 'dear'"),
    ],
)  # fmt: skip
def test_a_faulty_series_is_one_line_that_names_its_key(replay, resolve, table, message):
    text = replay.read_text(encoding="utf-8")
    replay.write_text(text.replace('{ file = "btc.csv", column = "close" }', table), encoding="utf-8")
    with pytest.raises(InputError) as caught:
        load_site(replay, resolve)
    assert message in str(caught.value)
    assert "<" not in str(caught.value)


def test_a_missing_day_is_refused_and_not_filled(replay, resolve):
    path = replay.with_name("btc.csv")
    lines = path.read_text(encoding="utf-8").splitlines()
    for gone in (1, 6, 7):  # also a hole of a week, which is no weekly row
        path.write_text("\n".join([*lines[:100], *lines[100 + gone :]]), encoding="utf-8")
        with pytest.raises(InputError, match=rf"btc.csv: time: expected all 8760 hours .* \({24 * gone} missing\)"):
            load_site(replay, resolve)


def test_scenarios_refuse_a_price_over_time_and_a_case_scales_it(replay, resolve):
    site = load_site(replay, resolve)
    with pytest.raises(InputError, match=r"scenarios: expected one number as market.btc_usd of site 'Replay'"):
        site_case(site, default_model())
    twice = site_year(scaled(site, {"btc": 2.0})).blocks[0]
    assert twice.revenue_usd / twice.btc == pytest.approx(2.0 * site.btc_path_usd.mean(), rel=0.1)


def test_planner_tables_store_the_series_and_find_their_changes(replay, resolve, tmp_path):
    ((inputs, site),) = read_inputs(replay, resolve)
    year = site_year(site, hourly=True)
    write_package(tmp_path / "run", [year], [inputs], version="test", sam=True)
    plain = year_of_8760(year)
    assert float(plain.draw_kw @ plain.usd_per_mwh) / 1000.0 == pytest.approx(year.revenue_usd, rel=1e-9)
    assert changes_since(tmp_path / "run", [inputs]).changes == ()
    written(replay.with_name("fees.csv"), "btc", [0.5] * 365, timedelta(days=1))
    ((after, _),) = read_inputs(replay, resolve)
    text = str(changes_since(tmp_path / "run", [after]))
    assert "fees_btc_per_block" in text


RENTED = """
[[inference]]
name = "rented"
figure = "llama-2-70b-fp4-b200-mlperf-server-lenovo"
gpus = 2000
demand_percent = 80
idle_percent = 20
sla_percent = 25
sla_penalty_percent = 100
usd_per_gpu_hour = { file = "rent.csv", column = "usd" }
"""


@pytest.fixture
def renting(replay):
    """Add GPUs that are rented at a rent of each day, which is often below what their power costs."""
    r = np.random.default_rng(3)
    written(replay.with_name("rent.csv"), "usd", r.uniform(0.01, 0.4, 365).tolist(), timedelta(days=1))
    text = replay.read_text(encoding="utf-8").replace("mining_pue", "gpu_pue = 1.2\nmining_pue")
    replay.write_text(text + RENTED, encoding="utf-8")
    return replay


def test_gpus_are_rented_at_the_rent_of_each_day(renting, resolve):
    site = load_site(renting, resolve)
    rents = np.repeat(column(renting.with_name("rent.csv")), 24)
    (block,) = site.inference
    assert block.price_usd == pytest.approx(rents.mean(), rel=1e-12)
    year = site_year(site, hourly=True)
    done = next(each for each in year.blocks if each.name == "rented")
    served = [k for k, label in enumerate(year.labels) if label.name == "rented" and label.part != "idle"]
    gpu_hours = year.dispatch.mw[:, served].sum(axis=1) * 1e6 / block.watts_per_gpu / (1.0 - block.idle_frac)
    assert 0.05 < (gpu_hours < 0.79 * 2000).mean() < 0.95
    assert done.units == pytest.approx(gpu_hours.sum(), rel=1e-9)
    assert done.revenue_usd == pytest.approx((gpu_hours * rents).sum(), rel=1e-9)
    short = np.maximum(0.25 * 0.8 * 2000 - gpu_hours, 0.0)
    assert year.penalty_usd == pytest.approx((short * rents).sum(), rel=1e-9)
    assert year.penalty_usd > 0.0
    fall = next(each for each in waterfalls(year) if each.product == "inference")
    assert fall.steps[-1].usd == pytest.approx(done.revenue_usd, rel=1e-9)
    assert any(note.startswith("price of a GPU-hour of rented: ") for note in site.notes)


def test_a_rent_over_time_reaches_the_planner_tables(renting, resolve, tmp_path):
    ((inputs, site),) = read_inputs(renting, resolve)
    year = site_year(site, hourly=True)
    write_package(tmp_path / "run", [year], [inputs], version="test", sam=True)
    plain = year_of_8760(year)
    drawn_mwh = float(plain.draw_kw.sum()) / 1000.0
    earned = float(plain.draw_kw @ plain.usd_per_mwh) / 1000.0
    assert earned == pytest.approx(year.revenue_usd, rel=1e-9)
    assert plain.om_usd_per_mwh * drawn_mwh == pytest.approx(year.energy_usd + year.penalty_usd, rel=1e-9)
    assert changes_since(tmp_path / "run", [inputs]).changes == ()


@pytest.mark.parametrize("line", ["take_or_pay_percent = 50", "tenant_pays_energy = true"])
def test_a_rent_over_time_is_refused_with_a_contract(renting, resolve, line):
    renting.write_text(renting.read_text(encoding="utf-8") + line + "\n", encoding="utf-8")
    with pytest.raises(InputError, match=rf"usd_per_gpu_hour: expected a number with {line.split()[0]}, got a series"):
        load_site(renting, resolve)


def test_scenarios_refuse_a_rent_over_time(renting, resolve):
    text = renting.read_text(encoding="utf-8")
    renting.write_text(text.replace('{ file = "btc.csv", column = "close" }', "26000"), encoding="utf-8")
    with pytest.raises(InputError, match=r"scenarios: expected one number as inference\[rented\].usd_per_gpu_hour of"):
        site_case(load_site(renting, resolve), default_model())


def test_the_effect_of_a_series_is_that_of_all_its_values(replay, resolve):
    ((inputs, site),) = read_inputs(replay, resolve)
    effects = effects_usd(inputs)
    net_usd = site_year(site).net_usd
    for key, name, factor in (("market.btc_usd", "btc", 0.9), ("price.hourly", "power", 0.9)):
        assert effects[key] == pytest.approx(site_year(scaled(site, {name: factor})).net_usd - net_usd, rel=1e-12)
    assert effects["market.btc_usd"] < 0.0 < effects["price.hourly"]
