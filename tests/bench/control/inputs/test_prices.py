"""Prices of files: every layout, the night of two hours, revised, late and missing hours, damaged files."""

from datetime import UTC, datetime

import pytest
from doubles.feeds import truth
from doubles.feeds.america import ercot

from bench.control.inputs.prices import BEGUN, TO_COME, around, merged
from sites.control.model import Price

from .conftest import NOW

HOUR = 3600
DESCRIBED = {"source": "file:prices.csv", "value": "p", "time": "t", "unit": "USD/MWh", "minutes": 60}


def write(tmp_path, rows):
    lines = [f"{datetime.fromtimestamp(at, UTC).isoformat()},{price}" for at, price in rows]
    (tmp_path / "prices.csv.new").write_text("\n".join(["t,p", *lines, ""]))
    (tmp_path / "prices.csv.new").replace(tmp_path / "prices.csv")


def at(prices, now_s):
    """Return the price that holds at a time; None where no interval does."""
    return next((price.usd_per_mwh for price in prices if price.start_s <= now_s < price.end_s), None)


def test_negative_and_capped_prices_come_in_as_they_are_with_start_and_end(tmp_path, opened):
    write(tmp_path, [(NOW - HOUR, -12.5), (NOW, 4999), (NOW + HOUR, 0)])
    inputs = opened(DESCRIBED).at(0)
    assert [(price.usd_per_mwh, price.start_s, price.end_s) for price in inputs.prices] == [
        (-12.5, NOW - HOUR, NOW), (4999.0, NOW, NOW + HOUR), (0.0, NOW + HOUR, NOW + 2 * HOUR),
    ]  # fmt: skip
    assert inputs.faults == ()


def test_both_hours_of_the_night_when_the_clock_is_set_back_have_their_own_price(tmp_path, opened, clock):
    start_s = truth.time_s("America/Chicago", 2025, 11, 2)
    steps = list(truth.steps(start_s, start_s + 25 * HOUR))
    (tmp_path / "ercot.csv").write_text(ercot.day_ahead(steps, ["HB_WEST"]))
    clock.now_s = start_s
    inputs = opened({"source": "file:ercot.csv", "point": "HB_WEST", "feed": "ercot-dam"})
    for step in steps:
        assert at(inputs.now(step.start_s).prices, step.start_s + 1800) == step.price
    assert at(inputs.now(start_s + 25 * HOUR).prices, start_s + 25 * HOUR) is None


def test_a_layout_is_recognised_without_its_name(tmp_path, opened, clock):
    start_s = truth.time_s("America/Chicago", 2026, 3, 8)  # the day of 23 hours
    steps = list(truth.steps(start_s, start_s + 23 * HOUR))
    (tmp_path / "ercot.csv").write_text(ercot.day_ahead(steps, ["HB_WEST"]))
    clock.now_s = start_s
    inputs = opened({"source": "file:ercot.csv"})
    assert [at(inputs.now(step.start_s).prices, step.start_s) for step in steps] == [step.price for step in steps]


def test_a_file_that_changes_is_read_again_and_keeps_the_time_of_what_did_not_change(tmp_path, opened):
    write(tmp_path, [(NOW, 30), (NOW + HOUR, 40)])
    inputs = opened(DESCRIBED)
    write(tmp_path, [(NOW, 30), (NOW + HOUR, 55), (NOW + 2 * HOUR, 60)])
    prices = inputs.at(60).prices
    assert [(price.usd_per_mwh, price.received_s - NOW) for price in prices] == [(30, 0), (55, 60), (60, 60)]


def test_an_hour_that_is_missing_has_no_price_and_one_that_comes_late_has_its_own(tmp_path, opened):
    write(tmp_path, [(NOW, 30), (NOW + 2 * HOUR, 50)])
    inputs = opened(DESCRIBED)
    assert at(inputs.at(HOUR + 60).prices, NOW + HOUR + 60) is None
    write(tmp_path, [(NOW, 30), (NOW + HOUR, 40), (NOW + 2 * HOUR, 50)])
    assert at(inputs.at(HOUR + 120).prices, NOW + HOUR + 120) == 40


def test_the_price_of_an_interval_that_ended_is_not_extended(tmp_path, opened):
    write(tmp_path, [(NOW, 30)])
    inputs = opened(DESCRIBED)
    assert at(inputs.at(HOUR - 1).prices, NOW + HOUR - 1) == 30
    later = inputs.at(HOUR).prices
    assert at(later, NOW + HOUR) is None
    assert later[-1].end_s == NOW + HOUR, "the last one stays, so that its end is seen"


@pytest.mark.parametrize(
    ("content", "fault"),
    [
        (b"", "prices.csv: expected a market file, got an empty one"),
        (b"t,p\n2026-12-01T02:00:00+00:00,high\n", "expected a number"),
        (b"<html><title>down</title></html>", "got a web page"),
        (b"t,p\n2026-12-01T02:00:00+00:00,1\n2026-12-01T02:00:00+00:00,2\n", "expected one value of the interval"),
        (b"t,p\n2020-12-01T02:00:00+00:00,1\n", "expected prices within three days of now, got none"),
        (b"\0\1\2", "expected"),
    ],
)
def test_a_bad_file_is_a_fault_in_one_line_and_the_last_good_prices_stay(tmp_path, opened, content, fault):
    write(tmp_path, [(NOW, 30)])
    inputs = opened(DESCRIBED)
    (tmp_path / "prices.csv").write_bytes(content)
    bad = inputs.at(60)
    assert [price.usd_per_mwh for price in bad.prices] == [30]
    (line,) = bad.faults
    assert fault in line
    assert "\n" not in line
    (tmp_path / "prices.csv").unlink()
    assert "got no such file" in inputs.at(120).faults[0]
    write(tmp_path, [(NOW, 31)])
    good = inputs.at(180)
    assert (good.faults, [price.usd_per_mwh for price in good.prices]) == ((), [31])


def test_a_file_that_is_not_there_is_a_fault_until_it_is(tmp_path, opened):
    inputs = opened(DESCRIBED)
    known = inputs.at(0)
    assert (known.prices, len(known.faults)) == ((), 1)
    assert "got no such file" in known.faults[0]
    write(tmp_path, [(NOW, 30)])
    assert inputs.at(30).faults == ()


def test_a_file_that_was_moved_away_and_back_is_read_again(tmp_path, opened):
    write(tmp_path, [(NOW, 30)])
    inputs = opened(DESCRIBED)
    (tmp_path / "prices.csv").rename(tmp_path / "away")
    assert inputs.at(30).faults
    (tmp_path / "away").rename(tmp_path / "prices.csv")
    assert inputs.at(60).faults == ()


def test_a_file_of_another_currency_needs_its_rate_and_is_converted(tmp_path, opened):
    write(tmp_path, [(NOW, 46)])
    euros = DESCRIBED | {"unit": "EUR/MWh"}
    assert "expected prices in USD" in opened(euros).at(0).faults[0]
    prices = opened(euros | {"currency": "EUR", "currency_per_usd": 0.92}).at(0).prices
    assert prices[0].usd_per_mwh == pytest.approx(50.0)


def intervals(*rows, received_s=0.0):
    return tuple(Price(price, start, end, received_s, "s") for start, end, price in rows)


def test_a_fresh_interval_replaces_all_that_it_overlaps_and_a_gap_takes_nothing_away():
    before = intervals((0, 60, 1), (60, 120, 2), (120, 180, 3), (180, 240, 4))
    fresh = intervals((60, 180, 9), (240, 300, 5), received_s=7.0)
    both = merged(before, fresh, 0.0)
    assert [(price.start_s, price.end_s, price.usd_per_mwh) for price in both] == [
        (0, 60, 1), (60, 180, 9), (180, 240, 4), (240, 300, 5),
    ]  # fmt: skip


def test_only_a_few_intervals_around_now_are_carried():
    prices = intervals(*((at * 300, at * 300 + 300, at) for at in range(1000)))
    near = around(prices, 500 * 300 + 10)
    assert [price.usd_per_mwh for price in near] == list(range(501 - BEGUN, 501 + TO_COME))
