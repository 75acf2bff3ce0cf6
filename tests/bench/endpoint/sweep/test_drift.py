"""The repeated point of a sweep: it tells a server that changed from one that only scatters."""

from types import SimpleNamespace

import pytest

from bench.endpoint.sweep.records import drift, knee_words, points_of


def record(at, *rates, status="ok"):
    """A record as far as a point needs it: one window a rate."""
    return SimpleNamespace(
        id=f"r{at}", status=status, rate=SimpleNamespace(value=rates[0]) if rates else None, energy_per_unit=None,
        power=None, metrics={}, warnings=(), workload=SimpleNamespace(parameters={"concurrency": at}),
        windows=[SimpleNamespace(rate_per_s=rate) for rate in rates],
    )  # fmt: skip


@pytest.mark.parametrize(
    ("last", "expected"),
    [
        ((700.0, 702.0, 698.0), (1000.0, 700.0)),
        ((1001.0, 1003.0, 1000.0), None),  # within 5 %
        ((500.0, 1500.0, 900.0), None),  # cannot be told apart
        ((700.0,), None),  # one window has no interval
    ],
)
def test_a_repeated_point_shows_drift_only_where_the_two_can_be_told_apart(last, expected):
    found = drift([record(4, 1000.0, 1002.0, 998.0), record(8, 10.0, 11.0), record(4, *last)])
    assert (None if found is None else (found.first, found.last)) == expected
    if found is not None:
        assert found.words().startswith("4 at a time had 1,000 tok/s at first and 700 at last")


def test_a_record_without_windows_or_that_failed_is_no_point():
    """Imported results have a rate and no windows."""
    imported = record(4)
    imported.rate = SimpleNamespace(value=9.0)
    assert points_of([imported, record(8, 1.0, status="failed")]) == []


def test_a_sweep_with_a_deep_dip_has_no_knee_and_one_that_falls_behind_has_one():
    rising = [record(at, *[rate] * 3) for at, rate in ((1, 10.0), (2, 20.0), (4, 30.0), (8, 24.0))]
    assert str(knee_words(rising)).startswith("4 at a time: ")
    dipped = [record(at, *[rate] * 3) for at, rate in ((1, 36.0), (2, 22.0), (4, 46.0), (8, 30.0))]
    assert str(knee_words(dipped)).startswith("not stated: a load had 39% fewer tokens than a smaller and a larger one")
    assert knee_words(dipped[:2]) is None


def test_a_sweep_whose_repeated_load_drifted_has_no_knee():
    rising = [record(at, *[rate] * 3) for at, rate in ((1, 10.0), (2, 20.0), (4, 20.0))]
    assert str(knee_words([*rising, record(1, 10.0, 10.1, 9.9)])).startswith("2 at a time: ")
    slower = [record(1, 14.0, 14.1, 13.9), *rising[1:], record(1, 10.0, 10.1, 9.9)]
    assert str(knee_words(slower)).startswith("not stated: 1 at a time drifted")
