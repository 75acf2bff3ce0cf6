"""The simulated price feed: its faults, and that the same seed gives the same prices."""

import json
from itertools import pairwise

from bench.twin.fleet import START_S
from bench.twin.market import FAULTY_MARKET, Market, MarketFaults


def rows(market, now_s):
    return json.loads(market.answer(now_s))["intervals"]


def test_the_same_seed_gives_the_same_prices_at_any_look():
    one, other = Market(1), Market(1)
    assert rows(one, START_S + 5000) == rows(other, START_S + 5000)
    assert rows(one, START_S) != rows(Market(2), START_S)
    early, late = dict(map(keyed, rows(one, START_S))), dict(map(keyed, rows(one, START_S + 1800)))
    assert all(late[key] == early[key] for key in set(early) & set(late))


def keyed(row):
    return tuple(row[:2]), row[2]


def test_prices_are_negative_sometimes_and_at_the_cap_seldom():
    market = Market(3)
    prices = [market.price(int(START_S) + 900 * index) for index in range(3000)]
    assert 60 < sum(price < 0.0 for price in prices) < 300
    assert 10 < prices.count(4999.0) < 70


def test_every_fault_of_the_feed_comes():
    market = Market(4, faults=FAULTY_MARKET)
    answers = [market.answer(START_S + 600 * index) for index in range(3000)]
    assert None in answers
    documents = [json.loads(answer) for answer in answers if answer is not None]
    assert any(row[2] is None for document in documents for row in document["intervals"])
    ages = [
        START_S + 600 * index - json.loads(answer)["published_at_s"]
        for index, answer in enumerate(answers)
        if answer is not None
    ]
    assert max(ages) >= 3600.0
    assert any(a == b for a, b in pairwise(answers) if a is not None)


def test_an_hour_comes_twice_with_two_prices():
    intervals = rows(Market(5, faults=MarketFaults(doubled_hour=True)), START_S + 60)
    starts = [row[0] for row in intervals]
    assert len(starts) - len(set(starts)) == 4


def test_it_says_that_it_is_simulated_and_when_it_was_published():
    document = json.loads(Market(6).answer(START_S + 1000))
    assert document["simulated"] is True
    assert document["published_at_s"] == START_S + 900
