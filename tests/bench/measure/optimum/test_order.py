"""The order of visits: every setting often enough, none after itself, and the first one again at the end."""

import itertools

import pytest

from bench.measure.optimum.order import ORDERS, walk


@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize("rounds", [1, 2, 3])
@pytest.mark.parametrize("settings", ["AB", "ABC", "ABCDEFGH"])
def test_a_walk_visits_each_setting_and_ends_where_it_began(settings, rounds, order):
    for seed in map(str, range(50)):
        visits = walk(settings, order, rounds, seed)
        assert set(visits) == set(settings)
        assert visits[0] == visits[-1]
        assert all(a != b for a, b in itertools.pairwise(visits))
        assert min(map(visits.count, settings)) >= rounds - (order == "there-and-back")


def test_a_walk_there_and_back_turns_round():
    assert "".join(walk("ABCD", "there-and-back", 2, "")) == "ABCDCBA"


def test_a_random_order_follows_from_its_seed():
    assert walk("ABCDEFGH", "random", 2, "a") == walk("ABCDEFGH", "random", 2, "a")
    assert walk("ABCDEFGH", "random", 2, "a") != walk("ABCDEFGH", "random", 2, "b")
