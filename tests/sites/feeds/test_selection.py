"""A series of a file that holds several is chosen by the user, never by the reader."""

import pytest

from hardware_profiles.errors import InputError
from sites.feeds.selection import MOST_KNOWN, Selection


def selection(chosen, rows, names=("point", "market")):
    """Return a selection that has seen rows."""
    seen = Selection(names, chosen, "a.csv")
    for row in rows:
        seen.takes(*row)
    return seen


def test_the_only_series_needs_no_choice():
    seen = selection({}, [("HB_WEST ", "DAM")] * 3)
    assert seen.settled() == {"point": "HB_WEST", "market": "DAM"}


def test_rows_of_the_chosen_point_are_taken():
    seen = Selection(("point",), {"point": "B"}, "a.csv")
    assert [seen.takes(point) for point in "ABAB"] == [False, True, False, True]
    assert seen.settled() == {"point": "B"}


def test_several_series_are_listed_ten_at_most():
    seen = selection({"market": "DAM"}, [(f"P{at}", "DAM") for at in range(14)])
    assert seen.is_ambiguous
    with pytest.raises(InputError) as caught:
        seen.settled()
    assert str(caught.value) == (
        "a.csv: expected one point, got 14: P0, P1, P2, P3, P4, P5, P6, P7, P8, P9 and 4 more (choose with point=NAME)"
    )


def test_what_differs_in_two_ways_is_listed_in_pairs():
    rows = [("A", "DAM"), ("B", "RTM"), ("B", "DAM")]
    with pytest.raises(InputError) as caught:
        selection({}, rows).settled()
    assert str(caught.value) == (
        "a.csv: expected one point and market, got 3: A with DAM, B with RTM, B with DAM (choose with point=NAME "
        "market=NAME)"
    )


def test_only_the_choices_that_tell_the_series_apart_are_asked_for():
    with pytest.raises(InputError, match=r"one point, got 2: A with 1, B with 2 \(choose with point=NAME\)$"):
        selection({}, [("A", "1"), ("B", "2")]).settled()


def test_an_unknown_point_has_near_names():
    with pytest.raises(InputError) as caught:
        selection({"point": "HB_WST"}, [("HB_WEST", "DAM"), ("HB_NORTH", "DAM")]).settled()
    assert str(caught.value) == (
        "a.csv: expected a point that the file has, got 'HB_WST' (did you mean HB_WEST, HB_NORTH?)"
    )


def test_a_series_may_have_two_names_in_parts_of_a_file():
    seen = Selection(("sequence",), {"sequence": "Without Sequence or 1"}, "a.csv")
    rows = ["Without Sequence", "1", "2", "Without Sequence or 1"]
    assert [seen.takes(row) for row in rows] == [True, True, False, True]
    assert seen.settled() == {"sequence": "Without Sequence or 1"}


def test_every_one_of_two_names_must_be_in_the_file():
    with pytest.raises(InputError) as caught:
        selection({"point": "HB_WEST or HB_NRTH"}, [("HB_WEST", "DAM"), ("HB_NORTH", "DAM")]).settled()
    assert str(caught.value) == (
        "a.csv: expected a point that the file has, got 'HB_NRTH' (did you mean HB_NORTH, HB_WEST?)"
    )
    seen = selection({"point": "A or B"}, [("A or B", "DAM"), ("C", "DAM")])
    assert seen.settled() == {"point": "A or B", "market": "DAM"}


def test_values_that_never_meet_are_refused():
    with pytest.raises(InputError, match="expected rows of point=A with market=RTM, got no row of all of them"):
        selection({"point": "A", "market": "RTM"}, [("A", "DAM"), ("B", "RTM")]).settled()


def test_a_choice_that_the_layout_does_not_have_is_refused():
    with pytest.raises(InputError, match=r"expected a choice of point, market, got 'pont' .did you mean point"):
        selection({"pont": "A"}, [])
    with pytest.raises(InputError, match="expected no choice, because it holds one series, got 'area'"):
        selection({"area": "A"}, [], names=())


def test_a_file_of_more_series_than_are_remembered_is_still_filtered():
    seen = selection({"point": f"P{MOST_KNOWN + 5}"}, [(f"P{at}", "DAM") for at in range(MOST_KNOWN + 10)])
    assert seen.settled()["point"] == f"P{MOST_KNOWN + 5}"


def test_a_file_of_two_units_is_refused():
    seen = selection({}, [])
    seen.states_unit("EUR/MWh")
    with pytest.raises(InputError, match="expected one unit, got 'EUR/MWh' and 'GBP/MWh'"):
        seen.states_unit("GBP/MWh")


def test_series_of_several_units_are_listed_before_their_units_are_compared():
    seen = selection({}, [])
    for area in ("FR", "PL"):
        seen.takes(area, "DAM")
        seen.states_unit({"FR": "EUR/MWh", "PL": "PLN/MWh"}[area])
    with pytest.raises(InputError, match="expected one point, got 2: FR, PL"):
        seen.settled()
