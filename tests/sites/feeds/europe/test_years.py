"""A year in each European layout, with both clock changes and the change to quarters, is read to the hourly truth."""

import pytest
from doubles.feeds import truth
from doubles.feeds.europe import ember, energy_charts, entsoe, entsoe_xml, market, nordpool, omie, smard
from doubles.feeds.reading import differences, read_text

BERLIN, MADRID = market.year(), market.year(market.MADRID)
HOURS = list(truth.steps(*truth.year("UTC")))
FRANCE = ("BZN|FR", entsoe.WITHOUT, BERLIN)
GERMANY = {smard.GERMANY: BERLIN}
AUCTION = {energy_charts.GERMANY: BERLIN}

FILES = {
    "current, marks on the days of change": ("entsoe-cet", lambda: entsoe.web(FRANCE), BERLIN),
    "current, marks everywhere": ("entsoe-cet", lambda: entsoe.web(FRANCE, marks="all"), BERLIN),
    "current, no marks": ("entsoe-cet", lambda: entsoe.web(FRANCE, marks="no"), BERLIN),
    "current in UTC": ("entsoe-utc", lambda: entsoe.web(FRANCE, clock=entsoe.UTC), BERLIN),
    "points in dates": ("entsoe-cet", lambda: entsoe.dotted(("BZN|FR", "", BERLIN)), BERLIN),
    "before 2024": ("entsoe-cet", lambda: entsoe.older("BZN|FR", BERLIN), BERLIN),
    "before 2024, empty spring hour": ("entsoe-cet", lambda: entsoe.older("BZN|FR", BERLIN, gap=True), BERLIN),
    "before 2024 in UTC": ("entsoe-utc", lambda: entsoe.older("BZN|FR", BERLIN, clock=entsoe.UTC), BERLIN),
    "library": ("entsoe-library", lambda: entsoe.library(("FR", "BZN", "", "EUR", BERLIN)), BERLIN),
    "library 3.1": (
        "entsoe-library",
        lambda: entsoe.library(("FR", "BZN", "", "EUR", BERLIN), heading=entsoe.LIBRARY_R31),
        BERLIN,
    ),
    "A03": ("entsoe-api", lambda: entsoe_xml.prices((entsoe_xml.FRANCE, 1, BERLIN)), BERLIN),
    "A01": ("entsoe-api", lambda: entsoe_xml.prices((entsoe_xml.FRANCE, None, BERLIN), curve="A01"), BERLIN),
    "smard": ("smard", lambda: smard.new(GERMANY), BERLIN),
    "smard with a date column": ("smard", lambda: smard.old(GERMANY), BERLIN),
    "smard in English": ("smard", lambda: smard.english(GERMANY), BERLIN),
    "energy-charts": ("energy-charts", lambda: energy_charts.commas(AUCTION), BERLIN),
    "energy-charts in UTC": ("energy-charts", lambda: energy_charts.semicolons(AUCTION), BERLIN),
    "energy-charts in local time": ("energy-charts", lambda: energy_charts.semicolons(AUCTION, "MEZ"), BERLIN),
    "omie": ("omie", lambda: omie.year(MADRID), MADRID),
    "omie list": ("omie-marginal", lambda: omie.marginal_year(MADRID), MADRID),
    "nordpool": ("nordpool", lambda: nordpool.answer(BERLIN), BERLIN),
    "nordpool, several areas": ("nordpool", lambda: nordpool.areas({"SE4": BERLIN}), BERLIN),
    "ember": ("ember", lambda: ember.countries(("Spain", "ESP", "Europe/Madrid", HOURS)), HOURS),
}


@pytest.mark.parametrize("kind", FILES)
def test_a_year_is_the_truth(tmp_path, kind):
    name, write, steps = FILES[kind]
    feed = read_text(tmp_path, write(), {"area": "ES"} if name.startswith("omie") else None)
    assert (feed.layout.name, feed.unit) == (name, "EUR/MWh")
    intervals = feed.intervals
    assert list(zip(intervals.start_s, intervals.end_s, intervals.values, strict=True)) == [tuple(at) for at in steps]
    assert not differences(feed, steps[0].start_s, steps[-1].end_s)
    assert (intervals.missing, intervals.doubled, intervals.revised) == (0, 0, 0)
