"""Lists and trends over many results: fast because shallow, and every fault told."""

import json

import pytest

from bench.history import headlines, summary, trend
from bench.runner import measure
from hardware_profiles.errors import InputError


@pytest.fixture
def store(fake_workload, short_job, cpu_device):
    job = short_job(window_s=0.05)
    record = measure(fake_workload, job, device=cpu_device)
    document = json.loads((job.store / record.id / "result.json").read_text())

    def more(count, **changes):
        for index in range(count):
            copy = {**document, **changes, "id": f"2099{index:04d}"}
            copy["metrics"] = {"rate": {**document["metrics"]["rate"], "value": 100.0 + index}}
            folder = job.store / copy["id"]
            folder.mkdir()
            (folder / "result.json").write_text(json.dumps(copy))
        return job.store

    return more


def test_headlines_are_what_the_records_say(store):
    found = list(headlines(store(5)))
    assert len(found) == 6
    assert (found[-1].workload, found[-1].status, found[-1].plan) == ("fake_cpu", "ok", "quick")


def test_a_trend_leaves_out_what_is_invalid_or_superseded(store):
    where = store(4)
    points = trend(headlines(where), "rate", "fake_cpu")
    assert [point.value for point in points[-4:]] == [100.0, 101.0, 102.0, 103.0]
    last = json.loads((where / "20990003" / "result.json").read_text())
    (where / "20990003" / "result.json").write_text(json.dumps({**last, "supersedes": "20990002"}))
    other = json.loads((where / "20990001" / "result.json").read_text())
    (where / "20990001" / "result.json").write_text(json.dumps({**other, "status": "invalid"}))
    assert [point.value for point in trend(headlines(where), "rate")][-2:] == [100.0, 103.0]
    assert summary(points)["n"] == len(points)


def test_a_change_compares_like_with_like_only(store):
    where = store(2)
    other = json.loads((where / "20990001" / "result.json").read_text())
    other["workload"]["version"] = 2
    (where / "20990001" / "result.json").write_text(json.dumps(other))
    assert trend(headlines(where), "rate")[-1].change_frac == 0.0


def test_an_unknown_metric_names_those_there_are(store):
    with pytest.raises(InputError, match="did you mean rate"):
        trend(headlines(store(1)), "rat")


@pytest.mark.parametrize("text", ["", "{", "[]", "{}", '{"workload": 3}', "\x00", '{"id": NaN}'])
def test_a_corrupt_record_is_told_and_left_out(store, text):
    where = store(1)
    (where / "20990000" / "result.json").write_text(text)
    faults = []
    assert len(list(headlines(where, faults.append))) == 1
    assert "20990000" in faults[0]


def test_no_store_is_no_results(tmp_path):
    assert list(headlines(tmp_path / "none")) == []
