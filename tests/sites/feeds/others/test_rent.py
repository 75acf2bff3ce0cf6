"""Rents of GPUs over time: vintages are versions, offers are chosen, stale offers are missing."""

import json

import pytest
from doubles.feeds import truth
from doubles.feeds.others import rent
from doubles.feeds.reading import read_text

from hardware_profiles.errors import InputError

DAYS = range(*truth.year("UTC"), rent.DAY_S)
WEEKS = DAYS[5::7]
OFFERS = (("runpod", "H100 SXM", "community"), ("runpod", "H100 SXM", "secure"), ("lambda", "A100", "secure"))
CHOICE = {"provider": "runpod", "gpu": "H100 SXM", "variant": "secure"}


def refusal(folder, text, choices=None):
    with pytest.raises(InputError) as caught:
        read_text(folder, text, choices)
    assert "\n" not in str(caught.value)
    return str(caught.value).removeprefix(f"{folder}/file.csv: ")


def snapshots(days_s=DAYS[:10], **changes):
    return [json.loads(rent.snapshot(day_s, **changes)) for day_s in days_s]


def test_weeks_of_an_index_are_the_truth(tmp_path):
    feed = read_text(tmp_path, rent.index(WEEKS))
    assert (feed.layout.name, feed.layout.quantity, feed.unit) == ("gpueconomy", "rent", "USD/GPU-hour")
    assert feed.intervals.values.tolist() == [rent.rent(week_s) for week_s in WEEKS]
    assert feed.intervals.resolutions == {rent.WEEK_S: len(WEEKS)}


def test_a_final_week_replaces_a_provisional_one(tmp_path):
    feed = read_text(tmp_path, rent.index(WEEKS, twice=WEEKS[3:5]))
    assert feed.intervals.values.tolist() == [rent.rent(week_s) for week_s in WEEKS]
    assert feed.intervals.revised == 2


def test_the_order_of_the_columns_does_not_matter(tmp_path):
    rows = [line.split(",")[::-1] for line in rent.index(WEEKS).decode().splitlines()]
    feed = read_text(tmp_path, "\n".join(map(",".join, rows)))
    assert feed.intervals.values.tolist() == [rent.rent(week_s) for week_s in WEEKS]


def test_an_unknown_vintage_is_refused(tmp_path):
    text = rent.index(WEEKS).replace(b"final", b"draft")
    assert refusal(tmp_path, text) == "line 2: vintage: expected provisional or final, got 'draft'"


def test_offers_are_refused_until_one_is_chosen(tmp_path):
    text = rent.privum(DAYS, OFFERS)
    assert refusal(tmp_path, text, {"provider": "runpod"}) == (
        "expected one variant, got 2: community, secure (choose with variant=NAME)"
    )
    feed = read_text(tmp_path, text, CHOICE)
    assert feed.intervals.values.tolist() == [rent.rent(day_s, 1) for day_s in DAYS]
    assert feed.chosen == CHOICE | {"vram_gb": "80"}


def test_snapshots_of_several_days_are_one_series(tmp_path):
    feed = read_text(tmp_path, json.dumps(snapshots()))
    assert feed.layout.name == "gpurentalprices"
    assert feed.intervals.values.tolist() == [rent.rent(day_s) for day_s in DAYS[:10]]


def test_one_snapshot_is_one_day(tmp_path):
    feed = read_text(tmp_path, rent.snapshot(DAYS[0], OFFERS), {"kind": "community"})
    assert feed.intervals.resolutions == {rent.DAY_S: 1}


def test_an_offer_that_is_repeated_from_an_earlier_day_is_missing(tmp_path):
    days = snapshots(DAYS[:2]) + snapshots(DAYS[2:4], stale={"runpod"}) + snapshots(DAYS[4:5])
    feed = read_text(tmp_path, json.dumps(days))
    assert feed.intervals.missing == 2
    assert len(feed.intervals.values) == 5


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"offers": [5]}, "offers[0].provider: expected text, got None"),
        ({"offers": [{"provider": "a", "gpu": "b", "kind": "c", "usd_hr": "x"}]}, "offers[0].usd_hr: expected "),
        ({"providers": []}, "providers: expected an object, got []"),
        ({"date": "2025-13-01"}, "date: expected a date as YYYY-MM-DD, got '2025-13-01'"),
        ({"date": 5}, "date: expected text, got 5"),
    ],
)
def test_a_faulty_snapshot_is_one_line(tmp_path, change, message):
    assert refusal(tmp_path, json.dumps(snapshots()[0] | change)).startswith(message)
