"""Nord Pool's JSON: areas are chosen, versions counted, and a Z that is not UTC is noticed."""

import json
import math

import pytest
from doubles.feeds.europe import market, nordpool
from doubles.feeds.reading import read_text

from hardware_profiles.errors import InputError

DAY = market.days((2025, 10, 1), minutes=15)
OTHER = [step._replace(price=round(step.price + 5, 2)) for step in DAY]


def refusal(folder, document, choices=None):
    with pytest.raises(InputError) as caught:
        read_text(folder, document if isinstance(document, bytes) else json.dumps(document), choices)
    assert "\n" not in str(caught.value)
    return str(caught.value).removeprefix(f"{folder}/file.csv: ")


def test_several_areas_are_refused_until_one_is_chosen(tmp_path):
    for text in (
        nordpool.areas({"SE3": DAY, "SE4": OTHER}),
        json.dumps(json.loads(nordpool.answer(DAY, "SE3")) + json.loads(nordpool.answer(OTHER, "SE4"))).encode(),
    ):
        assert refusal(tmp_path, text) == "expected one area, got 2: SE3, SE4 (choose with area=NAME)"
        feed = read_text(tmp_path, text, {"area": "SE4"})
        assert feed.intervals.values.tolist() == [step.price for step in OTHER]


def test_one_answer_needs_no_list_around_it(tmp_path):
    (answer,) = json.loads(nordpool.answer(DAY))
    assert len(read_text(tmp_path, json.dumps(answer)).intervals.values) == 96


def test_the_currency_is_that_of_the_answer(tmp_path):
    assert read_text(tmp_path, nordpool.answer(DAY, currency="SEK")).unit == "SEK/MWh"


def test_final_prices_replace_preliminary_ones(tmp_path):
    answers = json.loads(nordpool.answer(OTHER, status="Preliminary")) + json.loads(nordpool.answer(DAY))
    feed = read_text(tmp_path, json.dumps(answers[::-1]))
    assert feed.intervals.values.tolist() == [step.price for step in DAY]
    assert feed.intervals.revised == 96


def test_a_later_version_replaces_an_earlier_one(tmp_path):
    answers = json.loads(nordpool.areas({"SE4": OTHER}, version=2)) + json.loads(
        nordpool.areas({"SE4": DAY}, version=3)
    )
    feed = read_text(tmp_path, json.dumps(answers))
    assert feed.intervals.values.tolist() == [step.price for step in DAY]
    assert feed.intervals.revised == 96


def test_a_price_that_is_null_is_missing(tmp_path):
    answer = json.loads(nordpool.answer(DAY))
    answer[0]["prices"][3]["price"] = None
    values = read_text(tmp_path, json.dumps(answer)).intervals.values
    assert [math.isnan(value) for value in values[:5]] == [False, False, False, True, False]


def test_local_times_with_a_z_are_noticed(tmp_path):
    text = nordpool.answer([step._replace(start_s=step.start_s + 7200, end_s=step.end_s + 7200) for step in DAY])
    assert refusal(tmp_path, text).startswith(
        "deliveryStart: expected days that begin at midnight in Central European time, got "
    )


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"prices": 5}, "prices: expected a list, got 5"),
        ({"prices": [5]}, "prices[0]: expected an object, got 5"),
        ({"prices": [{"price": 1}]}, "prices[0].deliveryStart: expected an ISO 8601 time with an offset, got 'None'"),
        ({"currency": None}, "currency: expected a currency, got None"),
        ({"version": "x"}, "version: expected a whole number, got 'x'"),
        ({"multiAreaEntries": [dict.fromkeys(("deliveryStart", "deliveryEnd"), "2025-09-30T22:00Z")]},
         "multiAreaEntries[0].deliveryEnd: expected a time after the start, got '2025-09-30T22:00Z'"),
        ({"multiAreaEntries": [{"deliveryStart": "2025-09-30T22:00Z", "deliveryEnd": "2025-09-30T23:00Z"}]},
         "multiAreaEntries[0].entryPerArea: expected an object, got None"),
        ({"prices": [{"price": True, "deliveryStart": "2025-09-30T22:00Z", "deliveryEnd": "2025-09-30T23:00Z"}]},
         "prices[0].price: expected a number with a decimal point, got 'true'"),
    ],
)  # fmt: skip
def test_a_faulty_answer_is_one_line(tmp_path, change, message):
    (answer,) = json.loads(nordpool.answer(DAY))
    assert refusal(tmp_path, answer | change) == message
