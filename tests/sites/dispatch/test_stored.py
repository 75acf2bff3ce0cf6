"""A site with a battery or start costs: its sums, its waterfall, its plan and what its file may not say."""

from dataclasses import replace

import numpy as np
import pytest

from hardware_profiles.errors import InputError
from sites.dispatch.columns import REASONS, SUM
from sites.dispatch.merit_order import dispatch
from sites.dispatch.problem import problem
from sites.dispatch.stored.year import stored_dispatch
from sites.dispatch.waterfall import waterfalls
from sites.dispatch.year import site_year
from sites.file.build import load_site
from sites.planners.plan import plan_table
from sites.planners.tables import site_rows

PRICES = """
[price.time_of_use]
base_usd_per_mwh = 35
[[price.time_of_use.period]]
usd_per_mwh = 140
weekdays = [0, 1, 2, 3, 4]
from_hour = 17
to_hour = 19
[[price.time_of_use.period]]
usd_per_mwh = -12
from_hour = 2
to_hour = 4
months = [3, 4]
"""
BATTERY = """
[battery]
power_mw = 2
energy_mwh = 6
round_trip_percent = 86
degradation_usd_per_mwh = 12
may_export = true
"""
STARTS = "\nmin_up_hours = 4\nmin_down_hours = 2\nwake_minutes = 10\nstart_usd = 20\n"


@pytest.fixture
def stored(small_site_file):
    """Load the small site with peaks of price, a battery, and start costs of its miners."""
    text = small_site_file.read_text(encoding="utf-8")
    small_site_file.write_text(text.replace("energy_usd_per_mwh = 40", "", 1), encoding="utf-8")

    def load(battery=BATTERY, starts=STARTS):
        text = small_site_file.read_text(encoding="utf-8")
        head, _, tail = text.partition("[[mining]]")
        prices = PRICES if "[price.time_of_use]" not in head else ""
        path = small_site_file.with_name("stored.toml")
        path.write_text(f"{head}{prices}{battery}\n[[mining]]{starts}{tail}", encoding="utf-8")
        return path

    return load


def test_without_battery_and_starts_the_sums_are_those_of_the_merit_order(full_site_file, resolve):
    """With a demand charge, a contract, a programme, promised work and outages, the two dispatches agree."""
    site = load_site(full_site_file, resolve)
    plain = dispatch(problem(site), hourly=True)
    done, year = stored_dispatch(site, problem(site))
    for name in ("bought_usd", "sold_usd", "adder_usd", "forgone_usd", "penalty_usd", "drawn_mwh", "resale_hours"):
        assert getattr(done, name) == pytest.approx(getattr(plain, name), rel=1e-8), name
    assert done.net_usd == pytest.approx(plain.net_usd, rel=1e-9)
    assert done.blocks == pytest.approx(plain.blocks, rel=1e-7, abs=1e-6)
    assert done.load.load_mw == pytest.approx(plain.load.load_mw)
    assert (done.why == plain.why).mean() > 0.999
    assert (year.discharged_mwh, year.power_usd, year.units) == (0.0, 0.0, ())


def test_the_money_of_a_year_adds_up(stored, resolve):
    year = site_year(load_site(stored(), resolve))
    done, money = year.storage, year.dispatch
    assert done.cycles > 10
    assert done.units[0].starts > 10
    blocks_usd = sum(block.energy_usd for block in year.blocks)
    assert blocks_usd + done.power_usd == pytest.approx(year.energy_usd, rel=1e-9)
    net = year.revenue_usd - year.energy_usd - year.fixed_usd - done.wear_usd - done.start_usd
    assert year.net_usd == pytest.approx(net, rel=1e-12)
    meter = money.blocks[:, SUM.meter_mwh].sum()
    assert year.metered_mwh == pytest.approx(meter + done.charged_mwh - done.discharged_mwh + done.export_mwh, rel=1e-9)
    mwh_in = done.charged_mwh * year.site.battery.charge_frac
    mwh_out = done.discharged_mwh / year.site.battery.discharge_frac
    assert mwh_in - mwh_out == pytest.approx(done.state_mwh[-1] - 3.0, abs=1e-6)
    row = site_rows([year])[0]
    assert (row["shifted_mwh"], row["starts"]) == (done.discharged_mwh, done.units[0].starts)


def test_a_battery_earns_more_than_it_costs_and_start_costs_lose(stored, resolve):
    with_both = site_year(load_site(stored(), resolve)).net_usd
    without_battery = site_year(load_site(stored(battery=""), resolve)).net_usd
    without_starts = site_year(load_site(stored(starts="\n"), resolve)).net_usd
    neither = site_year(load_site(stored(battery="", starts="\n"), resolve)).net_usd
    assert without_battery < with_both < without_starts
    assert without_battery < neither < without_starts


def test_the_waterfall_ends_at_what_is_sold(stored, resolve):
    year = site_year(load_site(stored(), resolve))
    for fall in waterfalls(year):
        assert [step.name for step in fall.steps if step.name == "battery and starts"]
        delivered = next(step for step in fall.steps if step.reaches == "delivered")
        assert delivered.mwh == pytest.approx(fall.delivered_mwh, rel=1e-9)
        assert fall.steps[-1].usd == pytest.approx(fall.sold_usd, rel=1e-9)


def test_the_plan_of_each_hour_has_the_battery_and_adds_up(stored, resolve):
    year = site_year(load_site(stored(), resolve), hourly=True)
    table = plan_table(year).to_pydict()
    meter = np.array(table["meter_mw"]).reshape(year.hours, -1)
    assert meter.sum() == pytest.approx(year.metered_mwh - year.storage.export_mwh, rel=1e-9)
    assert sum(table["revenue_usd"]) == pytest.approx(year.revenue_usd, rel=1e-9)
    assert {REASONS[-2], REASONS[-1], "charges", "discharges"} <= set(table["reason"])


def test_bitcoin_over_time_counts_no_hash_while_waking_up(stored, resolve):
    """At a price that is constant in fact, the bitcoin of a path is that of a number."""
    site = load_site(stored(), resolve)
    path = replace(site, btc_path_usd=np.full(site.calendar.steps, site.btc_usd))
    assert site_year(path).blocks[0].btc == pytest.approx(site_year(site).blocks[0].btc, rel=1e-9)


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("round_trip_percent = 86", "round_trip_percent = 0.86", "expected a number of 1 to 100 per cent, got 0.86"),
        ("round_trip_percent = 86", "charge_percent = 95", "expected both charge_percent and discharge_percent"),
        ("power_mw = 2", "power_mw = 2\nmin_state_percent = 95\nmax_state_percent = 20", "max_state_percent (20)"),
        ("power_mw = 2", "power_mw = 2\nend_state_percent = 20", "at least start_state_percent (50), got 20"),
        ("power_mw = 2", "power_mw = 2\nstart_state_percent = 5\nmin_state_percent = 10", "(10 to 100), got 5"),
    ],
)
def test_a_battery_that_contradicts_itself_is_one_line(stored, resolve, old, new, words):
    with pytest.raises(InputError) as caught:
        load_site(stored(battery=BATTERY.replace(old, new)), resolve)
    assert words in str(caught.value)


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("degradation_usd_per_mwh = 12", "degradation_usd_per_mwh = 0.012", "per kWh? write 12"),
        ("energy_mwh = 6", "energy_mwh = 6000", "in kWh? write 6"),
        ("cycles", "cycles", ""),
    ],
)
def test_a_wrong_unit_of_a_battery_is_asked_about(stored, resolve, old, new, words):
    flags = "\n".join(load_site(stored(battery=BATTERY.replace(old, new)), resolve).flags)
    assert words in flags
    assert bool(words) == ("battery" in flags)


def test_wake_up_seconds_are_asked_about(stored, resolve):
    flags = load_site(stored(starts=STARTS.replace("wake_minutes = 10", "wake_minutes = 600")), resolve).flags
    assert any("mining[" in flag and "wake_minutes" in flag and "in seconds? write 10" in flag for flag in flags)
