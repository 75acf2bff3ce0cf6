"""Files of pytest-benchmark as its versions and their users wrote them: each is a result, or one line names the key."""

import json
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.cli import pytest_json
from bench.errors import RunFailedError
from bench.pytest_plugin.json_export import export_json
from bench.pytest_plugin.json_import import cpu_name, import_json
from bench.pytest_plugin.records import test_name as name_of_test
from bench.results.folder import read_whole
from bench.results.layout import result_folders
from hardware_profiles.errors import InputError


def benchmark(fullname="a/test_b.py::test_c", data=(0.5, 0.25), *, extra=None, **statistics):
    stats = {"data": list(data), "iterations": 1, **statistics}
    return {"name": fullname.rpartition("::")[2], "fullname": fullname, "extra_info": extra or {}, "stats": stats}


@pytest.fixture
def imported(tmp_path):
    """Import a file of these benchmarks."""

    def call(*benchmarks, **document):
        path = tmp_path / "saved.json"
        path.write_text(
            json.dumps(
                {"datetime": "2025-03-04T05:06:07", "benchmarks": list(benchmarks), "version": "5.1.0"} | document
            )
        )
        return import_json(path)

    return call


@pytest.mark.parametrize(
    ("machine", "name"),
    [
        ({"machine": "x86_64", "cpu": {"brand_raw": "AMD Ryzen 5 5600X", "model": 33}}, "AMD Ryzen 5 5600X"),
        ({"machine": "x86_64", "cpu": {"brand": "Intel(R)  Xeon(R) E5-2680", "model": 45}}, "Intel(R) Xeon(R) E5-2680"),
        ({"machine": "armv7l", "cpu": {"brand": "", "hardware": "BCM2709", "model": 4}}, "BCM2709"),
        ({"machine": "aarch64", "processor": "", "cpu": {"arch": "ARM_8", "model": 1}}, "aarch64"),
        ({"cpu": {"arch_string_raw": "riscv64"}}, "riscv64"),
        ({"cpu": "POWER9", "machine": "ppc64le"}, "POWER9"),
        ({"processor": "i686", "cpu": {"model": 7}}, "i686"),
        ({"cpu": {"model": 7}}, "unknown CPU"),
        ({}, "unknown CPU"),
    ],
)
def test_the_cpu_is_named_by_its_name_or_its_architecture_and_never_by_a_number(machine, name, imported):
    assert cpu_name(machine) == name
    assert imported(benchmark(), machine_info=machine)[0].device.name == name


def test_keys_of_extra_info_outside_of_perwatt_belong_to_the_author(imported):
    extra = {"work": "heavy", "unit": 3, "workload": ["x"], "variant": None, "version": "1.2.3", "n": 7}
    (record,) = imported(benchmark(extra=extra))
    assert record.metrics["rate"].unit == "call/s"
    workload = record.workload
    assert (workload.name, workload.version, workload.variant, workload.unit) == ("a.test_b.test_c", 1, "", "call")


def test_work_unit_workload_variant_and_version_are_stated_inside_of_perwatt(imported):
    stated = {"work": 1000, "unit": "hash", "workload": "sha", "variant": "x8", "version": 3}
    (record,) = imported(benchmark(data=[0.5, 0.5], iterations=4, extra={"perwatt": stated}))
    assert (record.metrics["rate"].value, record.metrics["rate"].unit) == (pytest.approx(2000.0), "hash/s")
    assert [window.work for window in record.windows] == [4000.0, 4000.0]
    workload = record.workload
    assert (workload.name, workload.version, workload.variant, workload.unit) == ("sha", 3, "x8", "hash")


@pytest.mark.parametrize(
    ("entry", "words"),
    [
        ("yes", r"expected .*, got 'yes'"),
        ({"work": "1000"}, r"key work: expected a number, got '1000'"),
        ({"work": 0}, r"key work: expected a number greater than 0, got 0"),
        ({"work": True}, r"key work: expected a number, got True"),
        ({"version": "1.2.3"}, r"key version: expected a whole number, got '1.2.3'"),
        ({"version": 0}, r"key version: expected a number greater"),
        ({"unit": ""}, r"key unit: expected text that is not empty"),
        ({"wrok": 5}, r"key wrok: .*did you mean work"),
        ({"energy": [{"meter": "m"}]}, r"key energy\[0\]\.boundary: expected a value"),
    ],
)
def test_a_wrong_entry_of_ours_is_one_line_that_names_the_benchmark_and_the_key(entry, words, imported):
    with pytest.raises(InputError, match=rf"saved\.json: benchmarks\[1\]\.extra_info\.perwatt: .*{words}"):
        imported(benchmark(), benchmark(extra={"perwatt": entry}))


@pytest.mark.parametrize(
    ("bench", "words"),
    [
        (
            benchmark(data=[-1.0]),
            r"key benchmarks\[0\]\.stats\.data\[0\]: expected a number greater than or equal to 0",
        ),
        (benchmark(data=[float("nan")]), r"key benchmarks\[0\]\.stats\.data\[0\]: expected a finite number"),
        (benchmark(data=["1"]), r"key benchmarks\[0\]\.stats\.data\[0\]: expected a number, got '1'"),
        (benchmark(iterations=0), r"key benchmarks\[0\]\.stats\.iterations"),
        (benchmark(data=[]), r"benchmarks\[0\]\.stats: expected data, or mean and rounds"),
        (benchmark(data=[1e-320]), r"benchmarks\[0\]\.stats: expected plausible times"),
        (benchmark(data=[1e300, 1e300]), r"benchmarks\[0\]\.stats: expected plausible times"),
        (benchmark() | {"extra_info": [1]}, r"benchmarks\[0\]\.extra_info: expected a table, got \[1\]"),
        ({"name": "x"}, r"key benchmarks\[0\]\.stats: expected a value"),
    ],
)
def test_statistics_that_cannot_be_are_one_line_that_names_the_key(bench, words, imported):
    with pytest.raises(InputError, match=words) as raised:
        imported(bench)
    assert "\n" not in str(raised.value)


def test_rounds_of_zero_seconds_give_the_rate_of_the_mean_and_a_warning(imported):
    (record,) = imported(benchmark(data=[0.0, 2e-7, 0.0, 2e-7]))
    assert record.status == "ok"
    assert record.metrics["rate"].value == pytest.approx(1e7)
    assert record.windows == ()
    assert {(reason.code, reason.detail) for reason in record.warnings} >= {("timer_coarse", "2 of 4 rounds took 0 s")}


@pytest.mark.parametrize("bench", [benchmark(data=[0.0, 0.0]), benchmark(data=[], mean=0.0, rounds=5, stddev=0.0)])
def test_a_benchmark_without_any_time_is_invalid_and_the_others_are_stored(bench, imported):
    none, good = imported(bench, benchmark())
    assert (none.status, none.metrics) == ("invalid", {})
    assert "no_time" in {reason.code for reason in none.reasons}
    assert good.status == "ok"


def test_a_file_of_version_3_without_ops_data_commit_or_time_zone_is_read(imported):
    old = {"name": "test_c", "fullname": "test_b.py::test_c", "group": None,
           "stats": {"mean": 0.5, "stddev": 0.05, "rounds": 9, "min": 0.4, "max": 0.6}}  # fmt: skip
    (record,) = imported(old, version="3.0.0", machine_info={"processor": "x86_64"}, commit_info={"id": "unversioned"})
    assert record.metrics["rate"].value == pytest.approx(2.0)
    assert record.metrics["rate"].relative_sd_frac == pytest.approx(0.1)
    assert record.run.started_utc.isoformat() == "2025-03-04T05:06:07+00:00"
    assert record.run.commit is None


NODES = [
    "test_a.py::test_run", "test_b.py::test_run", "dir/test_a.py::test_run", "test_a.py::TestA::test_run",
    "test_a.py::TestB::test_run", "test_a.py::test_run[1-2]", "test_a.py::test_run[1_2]", "test_a.py::test_run_1_2",
    "test_a.py::test_run[" + "x" * 300 + "1]", "test_a.py::test_run[" + "x" * 300 + "2]", "test_a.py::test_run[ü]",
    "test_a.py::test_run[a::b]", "test_a.py::test_run[a/b.py]", "test_a.py::test_run[]",
]  # fmt: skip


def test_two_tests_never_have_one_name_and_simple_ones_read_as_they_are():
    names = [name_of_test(node) for node in NODES]
    assert len(set(names)) == len(NODES)
    assert names[3] == "test_a.TestA.test_run"
    assert max(map(len, names)) <= 80


@given(st.text(min_size=1, max_size=200))
def test_the_name_of_any_test_is_that_of_a_file(node):
    assert re.fullmatch(r"[A-Za-z0-9_][A-Za-z0-9._-]{0,79}", name_of_test(node))


@pytest.fixture
def many(tmp_path):
    path = tmp_path / "many.json"
    path.write_text(json.dumps({"datetime": "2025-03-04T05:06:07", "benchmarks": [benchmark() for _ in range(300)]}))
    return path


def test_many_benchmarks_of_one_name_are_all_stored(many, tmp_path):
    pytest_json.import_.callback(many, tmp_path / "results", as_json=False)
    folders = list(result_folders(tmp_path / "results"))
    assert len(folders) == 300
    assert read_whole(folders[-1]).metrics["rate"].n == 2


def test_an_import_that_fails_in_the_middle_stores_none(many, tmp_path, monkeypatch):
    calls = []

    def used(*_):
        calls.append(1)
        return f"20260101T000000Z-test-{min(len(calls), 200):08x}"  # the last hundred collide

    monkeypatch.setattr("bench.pytest_plugin.json_import.new_id", used)
    with pytest.raises(RunFailedError, match=r"never overwritten|could not be written"):
        pytest_json.import_.callback(many, tmp_path / "results", as_json=False)
    assert list((tmp_path / "results").iterdir()) == []


def test_an_exported_result_names_its_cpu_and_its_work_when_it_is_imported_again(imported, tmp_path):
    stated = {"work": 1000, "unit": "hash", "workload": "sha", "variant": "x8", "version": 3}
    (record,) = imported(benchmark(extra={"perwatt": stated}), machine_info={"cpu": {"brand_raw": "Some CPU"}})
    path = tmp_path / "exported.json"
    path.write_text(json.dumps(export_json([record]), default=str))
    (again,) = import_json(path)
    assert again.device.name == "Some CPU"
    assert again.workload.model_copy(update={"parameters": {}}) == record.workload.model_copy(update={"parameters": {}})
    assert again.metrics["rate"].value == pytest.approx(record.metrics["rate"].value)


@pytest.mark.parametrize(
    ("machine", "words"),
    [
        ('{"node": ' * 40 + "1" + "}" * 40, "key machine_info: expected at most 24 levels"),
        ('{"cpu": {"count": NaN}}', r"key machine_info\.cpu\.count: expected a finite number"),
    ],
)
def test_a_machine_that_no_record_can_hold_is_refused(machine, words, tmp_path):
    document = json.dumps({"datetime": "2026-01-01T00:00:00", "benchmarks": [], "machine_info": "HERE"})
    (tmp_path / "b.json").write_text(document.replace('"HERE"', machine))
    with pytest.raises(InputError, match=words):
        import_json(tmp_path / "b.json")
