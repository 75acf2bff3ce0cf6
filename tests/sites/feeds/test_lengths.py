"""Where a file names only starts or only ends, the length of an interval is the distance of the times."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sites.feeds.lengths import Moment, from_ends, from_starts
from sites.feeds.model import CellError
from sites.feeds.selection import Selection


def spans(make, times, **choices):
    """Return the starts and ends of the intervals of times."""
    selection = Selection((), {}, "a.csv")
    selection.takes()
    moments = [Moment(at_s, 1.0) for at_s in times]
    return [(entry.start_s, entry.end_s) for entry in make(moments, selection, "time", **choices)]


def test_starts_and_ends_of_one_length_leave_gaps():
    assert spans(from_starts, [0, 900, 2700, 3600]) == [(0, 900), (900, 1800), (2700, 3600), (3600, 4500)]
    assert spans(from_ends, [900, 1800, 3600, 4500]) == [(0, 900), (900, 1800), (2700, 3600), (3600, 4500)]


def test_a_time_between_two_regular_ones_shortens_its_interval():
    assert spans(from_ends, [300, 600, 700, 900, 1200]) == [(0, 300), (300, 600), (600, 700), (700, 900), (900, 1200)]
    assert spans(from_starts, [0, 300, 400, 600, 900]) == [(0, 300), (300, 400), (400, 600), (600, 900), (900, 1200)]


def test_the_order_of_the_rows_and_doubles_do_not_matter():
    assert sorted(spans(from_starts, [3600, 0, 7200, 3600])) == [(0, 3600), (3600, 7200), (3600, 7200), (7200, 10800)]


def test_lengths_may_change_within_a_file():
    hours = [3600 * at for at in range(30)]
    quarters = [hours[-1] + 3600 + 900 * at for at in range(100) if at != 50]
    found = spans(from_starts, hours + quarters)
    assert found[:30] == [(at_s, at_s + 3600) for at_s in hours]
    assert found[30:] == [(at_s, at_s + 900) for at_s in quarters]


def test_a_lone_time_has_the_length_of_the_source_or_none():
    assert spans(from_ends, [300], lone_s=300) == [(0, 300)]
    assert spans(from_starts, [300, 300], lone_s=300) == [(300, 600), (300, 600)]
    with pytest.raises(CellError, match=r"time: expected times 5, 10, 15, 20, 30, 60 minutes apart, .* got 'one time'"):
        spans(from_starts, [0])
    assert spans(from_starts, []) == spans(from_ends, []) == []


def test_a_length_that_no_source_has_is_refused():
    for make in (from_starts, from_ends):
        with pytest.raises(CellError, match="which tell the length of intervals, got '1440 minutes'"):
            spans(make, [0, 86400, 172800])


def test_nothing_is_kept_of_several_series():
    selection = Selection(("point",), {}, "a.csv")

    def moments():
        for at in range(1000):
            if selection.takes("AB"[at % 2]):
                yield Moment(300 * at, 1.0)

    found = from_starts(moments(), selection, "time")
    assert (next(found).start_s, next(found).start_s) == (300, 600)


@settings(max_examples=60, deadline=None)
@given(st.sets(st.integers(1, 98), max_size=20), st.sampled_from([300, 900, 1800, 3600]), st.randoms())
def test_missing_rows_are_gaps_whatever_the_order(missing, step_s, random):
    kept = [step_s * at for at in range(100) if at not in missing]
    expected = [(at_s, at_s + step_s) for at_s in kept]
    random.shuffle(kept)
    assert sorted(spans(from_starts, kept)) == expected
    assert sorted(spans(from_ends, [at_s + step_s for at_s in kept])) == expected
