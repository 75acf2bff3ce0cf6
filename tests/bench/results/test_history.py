"""Lists and trends over many results: fast because shallow, and every fault told."""

import json
import re

import pytest
from doubles.stored import edit, rewrite, with_rate

from bench.measure.runner import measure
from bench.results.folder import read_record
from bench.results.history import by_workload, headlines, summary, trend, unchanged
from bench.results.layout import result_folders
from hardware_profiles.errors import InputError


@pytest.fixture
def store(fake_workload, short_job, cpu_device):
    job = short_job(window_s=0.05)
    record = measure(fake_workload, job, device=cpu_device)
    document = json.loads((job.store / record.id / "result.json").read_text())

    def more(count, **changes):
        for index in range(count):
            copy = {**with_rate(document, 100.0 + index), **changes, "id": f"2099{index:04d}"}
            rewrite(job.store / copy["id"], copy)
        return job.store

    return more


def test_headlines_are_what_the_records_say(store):
    found = list(headlines(store(5)))
    assert len(found) == 6
    assert (found[-1].workload, found[-1].status, found[-1].plan) == ("fake_cpu", "ok", "quick")


def test_a_list_and_a_record_choose_the_same_meter(store):
    folder = next(result_folders(store(0)))
    document = json.loads((folder / "result.json").read_text())
    metric = {**document["metrics"]["rate"], "unit": "J/hash"}
    tiers = {"energy_per_hash_wall": "B", "energy_per_hash_node": "A", "energy_per_hash_package": None}
    values = {"interval_95": None, "meter": "plug"}
    document["metrics"] |= {
        name: {**metric, **values, "value": 1.0 + i, "tier": tier} for i, (name, tier) in enumerate(tiers.items())
    }
    rewrite(folder, document)
    headline = next(headlines(folder.parent))
    assert headline.energy_per_unit["value"] == read_record(folder).energy_per_unit.value == 2.0


def test_a_trend_leaves_out_what_is_invalid_or_superseded(store):
    where = store(4)
    points = trend(headlines(where), "rate", "fake_cpu")
    assert [point.value for point in points[-4:]] == [100.0, 101.0, 102.0, 103.0]
    edit(where / "20990003", lambda record: record.update(supersedes="20990002"))
    edit(where / "20990001", lambda record: record.update(status="invalid", reasons=[{"code": "run_failed"}]))
    assert [point.value for point in trend(headlines(where), "rate")][-2:] == [100.0, 103.0]
    assert summary(points)["n"] == len(points)


def test_figures_of_different_workloads_have_no_common_median(store):
    where = store(4)
    edit(where / "20990003", lambda record: record["workload"].update(name="sha256d_scan_vr4_cpu"))
    groups = by_workload(trend(headlines(where), "rate"))
    assert [point.value for point in groups["sha256d_scan_vr4_cpu"]] == [103.0]
    assert [point.value for point in groups["fake_cpu"]][-1] == 102.0


def test_a_result_whose_samples_were_changed_is_told_and_left_out(store):
    where, told = store(0), []
    whole = list(headlines(where))
    assert list(unchanged(whole, told.append)) == whole
    (whole[0].folder / "samples.parquet").write_bytes(b"other")
    assert list(unchanged(whole, told.append)) == []
    assert len(told) == 1
    assert "samples.parquet: expected" in told[0]
    assert "it was changed" in told[0]


def test_a_change_compares_like_with_like_only(store):
    where = store(2)
    edit(where / "20990001", lambda record: record["workload"].update(version=2))
    assert trend(headlines(where), "rate")[-1].change_frac == 0.0


def test_an_unknown_metric_names_those_there_are(store):
    with pytest.raises(InputError, match="did you mean rate"):
        trend(headlines(store(1)), "rat")


@pytest.fixture(params=["few", "many"])
def size(request, monkeypatch):
    """A store is checked by the published schema, or from `MANY` results on by pydantic: the verdict is one."""
    if request.param == "many":
        monkeypatch.setattr("bench.results.history.MANY", 0)


@pytest.mark.usefixtures("size")
@pytest.mark.parametrize("text", ["", "{", "[]", "{}", '{"workload": 3}', "\x00", '{"id": NaN}', "[" * 100_000])
def test_a_corrupt_record_is_told_and_left_out(store, text):
    where = store(1)
    (where / "20990000" / "result.json").write_text(text)
    faults = []
    assert len(list(headlines(where, faults.append))) == 1
    assert len(faults) == 1
    assert "20990000" in faults[0]
    assert "Error" not in faults[0]


@pytest.mark.usefixtures("size")
@pytest.mark.parametrize(
    ("place", "value", "words"),
    [
        (("schema_version",), 999, "key schema_version: expected 1, got 999"),
        (("bogus",), 1, "key bogus: expected .*, got an unknown key"),
        (("id",), "../../evil", "key id: expected text of the form .* got '../../evil'"),
        (("metrics", "rate", "value"), float("nan"), "key metrics.rate.value: expected a finite number, got nan"),
        (("metrics", "rate", "value"), -5, "key metrics.rate.value: expected a number greater than 0, got -5"),
        (("windows", 0, "work"), -1, r"key windows\[0\].work: expected a number greater than 0, got -1"),
    ],
)
def test_a_faulty_record_is_one_line_that_names_its_key_and_never_in_a_trend(store, place, value, words):
    path = store(1) / "20990000" / "result.json"
    document = json.loads(path.read_text())
    inner = document
    for key in place[:-1]:
        inner = inner[key]
    inner[place[-1]] = value
    path.write_text(json.dumps(document))
    faults = []
    assert len(trend(headlines(path.parent.parent, faults.append), "rate")) == 1
    (fault,) = faults
    assert re.search(f"20990000/result.json: {words}", fault), fault


@pytest.mark.usefixtures("size")
def test_an_older_record_that_lacks_what_has_a_default_is_listed(store):
    path = store(1) / "20990000" / "result.json"
    document = json.loads(path.read_text())
    del document["audit"], document["metrics"]
    rewrite(path.parent, document)
    faults = []
    assert [line.metrics for line in headlines(path.parent.parent, faults.append)][-1] == {}
    assert faults == []


def test_a_folder_without_a_record_is_told(store):
    where = store(0)
    (where / "empty").mkdir()
    faults = []
    assert len(list(headlines(where, faults.append))) == 1
    assert faults == [f"{where / 'empty'}: expected a result folder with a result.json, got none"]


def test_a_store_that_is_a_file_is_refused(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(InputError, match="expected a results folder, got a file"):
        list(headlines(tmp_path / "file"))


def test_no_store_is_no_results(tmp_path):
    assert list(headlines(tmp_path / "none")) == []
