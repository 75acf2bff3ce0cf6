"""A replay of a year of prices prints its money line by line, and reads the prices of a market file."""

from dataclasses import replace
from datetime import UTC, datetime

import numpy as np
import pytest
from doubles.control.plans import HOLD, fleet, unit, wild_prices

from bench.control.inputs import PriceTable
from bench.control.replay import replay, replay_lines, year_prices
from bench.device_rates import resolve_device
from hardware_profiles.errors import InputError
from sites import api
from sites.control.shadow import at_prices

DESCRIBED = PriceTable(source="file:prices.csv", value="p", time="t", unit="USD/MWh", minutes=60)


@pytest.fixture(scope="module")
def site():
    return at_prices(*((one := api.load("georgia-50mw-mining", resolve_device)[0]), wild_prices(one.hours)))


def written(path, site, prices, minutes=60):
    """Write a market file of prices, one in so many minutes."""
    rows = [
        f"{datetime.fromtimestamp(site.start_s + 60 * minutes * k, UTC):%Y-%m-%dT%H:%M:%SZ},{usd:.6f}"
        for k, usd in enumerate(prices)
    ]
    path.write_text("\n".join(["t,p", *rows, ""]), encoding="utf-8")
    return path


def test_a_replay_of_a_market_file_prints_what_it_would_have_earned_and_why_not_more(site, tmp_path):
    path = written(tmp_path / "prices.csv", site, site.spot_usd_per_mwh + 5.0)
    shadow = replay(site, fleet(site, 1, ramp_s=600.0), HOLD, (DESCRIBED, path))
    assert shadow.planned.net_usd < shadow.ordered.net_usd
    lines = replay_lines(shadow)
    money = {line[:46].strip(): int(line.rsplit(maxsplit=1)[1].replace(",", "")) for line in lines[1:8]}
    assert money["under control"] == round(shadow.net_usd)
    assert money["less ramps"] == -round(shadow.ramps_usd) < 0
    assert money["less whole units, and patience with prices"] == 0
    assert money["regret against the best plan"] == round(shadow.ramps_usd)
    assert money["the best plan, with these prices known before"] - money["under control"] == pytest.approx(
        round(shadow.ramps_usd), abs=1
    )
    assert shadow.plan_sha256 in lines[-1]
    assert all(len(line) <= 120 for line in lines)


def test_prices_of_a_market_file_are_means_over_the_steps_of_the_year(site, tmp_path):
    prices = np.repeat(site.spot_usd_per_mwh, 2) + np.tile([5.0, -5.0], site.hours)
    path = written(tmp_path / "prices.csv", site, prices, minutes=30)
    read = year_prices(site, DESCRIBED.model_copy(update={"minutes": 30}), path)
    assert read == pytest.approx(site.spot_usd_per_mwh, abs=1e-5)


def test_a_market_file_without_some_hours_is_refused(site, tmp_path):
    path = written(tmp_path / "prices.csv", site, site.spot_usd_per_mwh[:-30])
    with pytest.raises(InputError, match=r"expected a price in each of the 8760 steps .* got .none in 30 of them"):
        year_prices(site, DESCRIBED, path)


def test_a_unit_of_no_block_is_refused(site):
    with pytest.raises(InputError, match=r"unit m1: key block: expected a block of site .* \(miners\), got 'gpus'"):
        replay(site, [replace(unit("m1"), block="gpus")], HOLD)
