"""The hour that spring skips and the one that autumn repeats, in each layout in local time."""

import math

import pytest
from doubles.feeds import truth
from doubles.feeds.europe import energy_charts, entsoe, market, omie, smard
from doubles.feeds.reading import read_text

from hardware_profiles.errors import InputError

SPRING, AUTUMN = (2025, 3, 30), (2025, 10, 26)
CHANGE_S = 1761440400  # [s, unix] 2025-10-26 01:00 UTC
FRANCE = ("BZN|FR", entsoe.WITHOUT)

LOCAL = {
    "entsoe with marks": lambda steps: entsoe.web((*FRANCE, steps)),
    "entsoe without marks": lambda steps: entsoe.web((*FRANCE, steps), marks="no"),
    "entsoe with points": lambda steps: entsoe.dotted((*FRANCE, steps)),
    "entsoe before 2024": lambda steps: entsoe.older("BZN|FR", steps),
    "smard": lambda steps: smard.new({smard.GERMANY: steps}),
    "smard with a date column": lambda steps: smard.old({smard.GERMANY: steps}),
    "energy-charts": lambda steps: energy_charts.commas({energy_charts.GERMANY: steps}),
    "energy-charts in local time": lambda steps: energy_charts.semicolons({energy_charts.GERMANY: steps}, "MEZ"),
    "omie": omie.year,
    "omie list": omie.marginal_year,
}


@pytest.mark.parametrize(
    ("kind", "minutes"),  # the list of OMIE does not say its resolution: quarters since October 2025
    [(kind, minutes) for kind in LOCAL for minutes in (60, 15) if (kind, minutes) != ("omie list", 60)],
)
def test_both_hours_of_autumn_keep_their_own_prices(tmp_path, kind, minutes):
    steps = market.days(AUTUMN, minutes=minutes)
    feed = read_text(tmp_path, LOCAL[kind](steps), {"area": "ES"} if kind.startswith("omie") else None)
    prices = dict(zip(feed.intervals.start_s.tolist(), feed.intervals.values.tolist(), strict=True))
    assert prices == {step.start_s: step.price for step in steps}
    assert truth.price(CHANGE_S - 3600) != truth.price(CHANGE_S)
    assert sum(feed.intervals.end_s - feed.intervals.start_s) == 25 * 3600


@pytest.mark.parametrize("kind", [kind for kind in LOCAL if kind != "omie list"])
def test_the_day_of_spring_has_23_hours(tmp_path, kind):
    steps = market.days(SPRING, minutes=15)
    feed = read_text(tmp_path, LOCAL[kind](steps), {"area": "ES"} if kind.startswith("omie") else None)
    assert feed.intervals.start_s.tolist() == [step.start_s for step in steps]
    assert (feed.intervals.missing, len(feed.intervals.values)) == (0, 92)


def test_marks_hold_whatever_the_order_of_the_rows(tmp_path):
    steps = market.days(AUTUMN)
    feed = read_text(tmp_path, entsoe.web((*FRANCE, steps[::-1])))
    assert feed.intervals.values.tolist() == [step.price for step in steps]


def test_rows_that_go_back_without_marks_are_refused(tmp_path):
    text = entsoe.web((*FRANCE, market.days(AUTUMN)[::-1]), marks="no")
    with pytest.raises(InputError, match=r"line 3: MTU .*: expected rows in the order of time"):
        read_text(tmp_path, text)


def test_areas_that_take_turns_keep_their_own_order(tmp_path):
    steps = market.days(AUTUMN)
    rows = [line for step in steps for line in (("FR", "1", [step]), ("BE", "1", [step._replace(price=1.0)]))]
    feed = read_text(tmp_path, entsoe.web(*rows, marks="no"), {"area": "FR"})
    assert feed.intervals.values.tolist() == [step.price for step in steps]


def test_a_price_in_the_hour_that_spring_skips_is_refused(tmp_path):
    text = entsoe.older("BZN|FR", market.days(SPRING), gap=True).replace(b'03:00","","",', b'03:00","5.00","EUR",')
    with pytest.raises(InputError, match=r"line 4: MTU .*: expected a time that exists in Europe/Brussels"):
        read_text(tmp_path, text)


def test_a_mark_of_the_wrong_season_is_refused(tmp_path):
    text = entsoe.web((*FRANCE, market.days((2025, 7, 1))), marks="all").replace(b"(CEST)", b"(CET)")
    with pytest.raises(InputError, match=r"line 2: MTU .*: expected CEST at this time of the year, got 'CET'"):
        read_text(tmp_path, text)


def test_a_missing_price_in_the_repeated_hour_stays_missing(tmp_path):
    steps = [step._replace(price="-") if step.start_s == CHANGE_S else step for step in market.days(AUTUMN)]
    for text in (entsoe.web((*FRANCE, steps)), smard.new({smard.GERMANY: steps})):
        values = read_text(tmp_path, text).intervals.values
        assert [math.isnan(value) for value in values] == [step.price == "-" for step in steps]
