"""JSON answers of Energy-Charts and CoinGecko, and what is wrong with one."""

import json

import numpy as np
import pytest
from doubles.feeds import truth

from hardware_profiles.errors import InputError
from sites.feeds.read import read_feed

HOUR_S = 3600


@pytest.fixture
def read(tmp_path):
    def call(document):
        path = tmp_path / "answer.json"
        path.write_text(json.dumps(document), encoding="utf-8")
        return read_feed(path)

    return call


def energy_charts(steps, **changes):
    document = {
        "license_info": "invented",
        "unix_seconds": [step.start_s for step in steps],
        "price": [step.price for step in steps],
        "unit": "EUR / MWh",
        "deprecated": False,
    }
    return document | changes


def test_the_change_from_hours_to_quarters_and_an_empty_price_are_kept(read):
    change_s = truth.time_s("Europe/Berlin", 2025, 10, 1)
    day_s = 24 * HOUR_S
    steps = [*truth.steps(change_s - day_s, change_s), *truth.steps(change_s, change_s + day_s, 15)]
    prices = [None, *(step.price for step in steps[1:])]
    feed = read(energy_charts(steps, price=prices))
    assert (feed.layout.name, feed.unit) == ("energy-charts-api", "EUR/MWh")
    assert list(feed.intervals.end_s) == [step.end_s for step in steps]
    assert np.isnan(feed.intervals.values[0])
    assert list(feed.intervals.values[1:]) == [step.price for step in steps[1:]]


def test_a_price_of_coingecko_holds_until_the_next_one_and_to_the_end_of_the_day(read):
    prices = [[0, 10.0], [3600_500, 11.0], [86_400_000, 12.0]]
    feed = read({"prices": prices, "market_caps": [], "total_volumes": []})
    assert list(zip(feed.intervals.start_s, feed.intervals.end_s, feed.intervals.values, strict=True)) == [
        (0, 3600, 10.0), (3600, 86_400, 11.0), (86_400, 172_800, 12.0),
    ]  # fmt: skip


STEPS = list(truth.steps(0, 3 * HOUR_S))


@pytest.mark.parametrize(
    ("document", "message"),
    [
        (energy_charts(STEPS, price=[1.0]), "price: expected one price for each of unix_seconds"),
        (energy_charts(STEPS, price=[1.0, "x", 2.0]), "price[1]: expected a number with a decimal point, got 'x'"),
        (
            energy_charts(STEPS, unix_seconds=[0, 3600.5, 7200]),
            "unix_seconds[1]: expected a whole number below 2^53, got 36",
        ),
        (energy_charts(STEPS, unit="ct / kWh"), "expected the unit EUR/MWh of energy-charts-api, got 'ct/kWh'"),
        (
            {"prices": [[0, 1.0, 2.0]], "market_caps": []},
            "prices: expected pairs of a time in milliseconds and a price",
        ),
        ({"prices": [[5000, 1.0], [4000, 1.0]], "market_caps": []}, "prices: expected times that go forward, got 4"),
        ({"prices": [["x", 1.0]], "market_caps": []}, "prices[0][0]: expected a whole number below 2^53, got 'x'"),
    ],
)
def test_a_faulty_answer_is_refused_in_one_line(read, document, message):
    with pytest.raises(InputError) as caught:
        read(document)
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)
