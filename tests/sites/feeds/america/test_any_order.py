"""Rows in any order, and with any rows missing, are read to exactly the hours that the file has."""

import json

import numpy as np
import pytest
from doubles.feeds.america import caiso, isone, miso, pjm, spp
from doubles.feeds.reading import read_text
from doubles.feeds.truth import price, steps, time_s
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

AUTUMN, SPRING = ("America/New_York", 2025, 11, 1), ("America/New_York", 2025, 3, 8)
WRITERS = {
    "pjm-da": (lambda found: pjm.text(pjm.DAY_AHEAD, found), 1, 0),
    "pjm-rt": (lambda found: pjm.text(pjm.REAL_TIME, found), 1, 0),
    "caiso-dam": (lambda found: caiso.text(caiso.DAY_AHEAD, found, components=("LMP",)), 1, 0),
    "spp": (lambda found: spp.text(spp.NEW, found), 1, 0),
    "isone": (lambda found: isone.report(found, isone.LOCATIONS[:1]), 6, 1),
    "miso-rt-5min": (lambda found: miso.five_minute(found, miso.NODES[:1]), 5, 1),
}


def shuffled(text, above, below, random):
    """Return a text whose lines have another order, except some above and below them."""
    lines = text.splitlines()
    end = len(lines) - below
    rows = lines[above:end]
    random.shuffle(rows)
    return "\n".join([*lines[:above], *rows, *lines[end:], ""])


@pytest.mark.parametrize("name", WRITERS)
@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    missing=st.sets(st.integers(0, 70), max_size=15),
    day=st.sampled_from([AUTUMN, SPRING]),
    random=st.randoms(use_true_random=False),
)
def test_any_rows_in_any_order_are_the_truth(tmp_path, name, missing, day, random):
    write, above, below = WRITERS[name]
    minutes = 5 if name == "miso-rt-5min" else 60
    start_s = time_s(*day)
    kept = [step for at, step in enumerate(steps(start_s, start_s + 72 * 60 * minutes, minutes)) if at not in missing]
    feed = read_text(tmp_path, shuffled(write(kept), above, below, random))
    assert feed.layout.name == name
    assert feed.intervals.start_s.tolist() == [step.start_s for step in kept]
    assert feed.intervals.end_s.tolist() == [step.end_s for step in kept]
    assert np.allclose(feed.intervals.values, [step.price for step in kept], rtol=0, atol=1e-9)


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    random=st.randoms(use_true_random=False), versions=st.lists(st.integers(1, 5), min_size=1, max_size=5, unique=True)
)
def test_the_highest_version_counts_in_any_order(tmp_path, random, versions):
    start_s = time_s(*AUTUMN)
    document = json.loads(pjm.answer(pjm.REAL_TIME, steps(start_s, start_s + 7200)))
    first, second = document["items"]
    revised = [
        {**first, "version_nbr": version, "total_lmp_rt": first["total_lmp_rt"] + (max(versions) - version)}
        | {"row_is_current": version == max(versions)}
        for version in versions
    ]
    random.shuffle(revised)
    document["items"] = [*revised, second]
    feed = read_text(tmp_path, json.dumps(document))
    assert feed.intervals.revised == len(versions) - 1
    assert feed.intervals.values.tolist() == [price(start_s), price(start_s + 3600)]
