"""pytest-benchmark with energy: a session in a process of its own, one test a trap."""

import json
import math
import os
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from bench.pytest_plugin.json_export import export_json
from bench.pytest_plugin.json_import import import_json
from bench.results.folder import read_record
from bench.results.layout import result_folders
from hardware_profiles.errors import InputError

ROOT = Path(__file__).resolve().parents[3]

CONFTEST = """
import math
import pytest
from doubles.clock import VirtualClock, installed
from doubles.plug import FakePlug

class Clock(VirtualClock):
    def monotonic(self):  # pytest-benchmark looks for the smallest step of its timer
        self.now_s += 1e-6
        return self.now_s

installation = installed(Clock())
clock = installation.__enter__()

@pytest.hookimpl(tryfirst=True)
def pytest_configure(config):
    if config.option.perwatt_meter == ["plug"]:
        plug = FakePlug(clock, curve=lambda t: 100.0 + 20.0 * math.sin(3.0 * t))
        config.option.perwatt_meter[:] = [plug.spec + ",accuracy=1%"]
    if config.option.perwatt_meter == ["two plugs"]:
        plugs = [FakePlug(clock, curve=lambda t, k=k: k * (100.0 + 20.0 * math.sin(3.0 * t))) for k in (1.0, 1.2)]
        config.option.perwatt_meter[:] = [plug.spec for plug in plugs]
"""

INNER = """
import pytest
from conftest import clock as time

def work():
    time.sleep(0.25)

def test_good(energy_benchmark):
    energy_benchmark(work, rounds=5, work=1000.0, unit="hash")

def test_fails_after_the_benchmark(energy_benchmark):
    energy_benchmark(work, rounds=2)
    assert False, "the answer was wrong"

def test_lets_the_rounds_be_chosen(benchmark):
    benchmark(lambda: time.sleep(0.01))

def test_has_no_load_before(benchmark):
    benchmark.pedantic(work, rounds=5)

@pytest.mark.benchmark(timer=time.perf_counter)
def test_times_with_another_clock(benchmark):
    benchmark.pedantic(lambda: time.sleep(0.01), rounds=2)

def test_calls_several_times_a_round(benchmark):
    benchmark.extra_info["perwatt"] = {"work": 100.0, "unit": "hash", "workload": "many"}
    benchmark.pedantic(work, rounds=5, iterations=4)

def test_states_a_wrong_work(benchmark):
    benchmark.extra_info["perwatt"] = {"work": "much"}
    benchmark.pedantic(work, rounds=2)

def test_uses_no_benchmark():
    pass
"""


@pytest.fixture(scope="module")
def session(tmp_path_factory, coverage_of_children):
    """One pytest session on a clock of its own, with a plug on loopback: its exit status, its JSON, its records."""
    folder = tmp_path_factory.mktemp("session")
    done = run_pytest(
        folder, "--benchmark-json=out.json", "--perwatt-meter", "plug", "--perwatt-meter-period-s", "0.01",
        **coverage_of_children,
    )  # fmt: skip
    document = json.loads((folder / "out.json").read_text())
    records = {
        record.workload.parameters["test"].rpartition("::")[2]: record
        for record in map(read_record, result_folders(folder / "results"))
    }
    benchmarks = {bench["name"]: bench for bench in document["benchmarks"]}
    return SimpleNamespace(folder=folder, done=done, benchmarks=benchmarks, records=records)


def run_pytest(folder, *arguments, **variables):
    outside = {key: value for key, value in os.environ.items() if not key.startswith("PYTEST_")}
    environment = (
        outside | variables | {"PERWATT_LOCKS": str(folder / "locks"), "PYTHONPATH": f"{ROOT}:{ROOT / 'tests'}"}
    )
    (folder / "conftest.py").write_text(CONFTEST)
    (folder / "test_inner.py").write_text(INNER)
    return subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "bench.pytest_plugin", "test_inner.py", *arguments],
        cwd=folder, env=environment, capture_output=True, text=True, timeout=600, check=False,
    )  # fmt: skip


def test_energy_over_the_measured_rounds_is_in_the_json_and_true(session):
    found = session.benchmarks["test_good"]["extra_info"]["perwatt"]
    (energy,) = found["energy"]
    start, end = found["rounds_s"][0][0], found["rounds_s"][-1][1]
    true_j = 100.0 * (end - start) - 20.0 / 3.0 * (math.cos(3.0 * end) - math.cos(3.0 * start))
    assert energy["joules"] == pytest.approx(true_j, rel=0.005)
    assert energy["joules_per_unit"] == pytest.approx(energy["joules"] / 5000.0)
    assert (energy["boundary"], energy["tier"], energy["reasons"]) == ("wall", "B", [])
    assert len(found["rounds_s"]) == 5


def test_rule_05_two_plugs_that_disagree_leave_no_joules_in_a_test(tmp_path):
    options = ("--perwatt-meter", "two plugs", "--perwatt-meter-period-s", "0.01", "-k", "test_good")
    done = run_pytest(tmp_path, "--benchmark-json=out.json", *options)
    assert done.returncode == 0, done.stdout
    (bench,) = json.loads((tmp_path / "out.json").read_text())["benchmarks"]
    energies = bench["extra_info"]["perwatt"]["energy"]
    assert [(energy["joules"], energy["reasons"]) for energy in energies] == [(None, ["meter_disagreement"])] * 2


def test_the_stamps_are_those_of_the_measured_rounds(session):
    bench = session.benchmarks["test_good"]
    lengths = [end - start for start, end in bench["extra_info"]["perwatt"]["rounds_s"]]
    assert lengths == pytest.approx(bench["stats"]["data"], abs=1e-9)


def test_each_test_has_a_record_of_its_own(session):
    record = session.records["test_good"]
    assert (record.status, record.workload.unit, len(record.windows)) == ("ok", "hash", 5)
    assert record.metrics["rate"].value == pytest.approx(4000.0, rel=0.05)
    metric = record.metrics["energy_per_hash_wall"]
    assert metric.value == pytest.approx(100.0 / 4000.0, rel=0.25)
    assert (metric.n, metric.interval_95) == (1, None)


def test_a_test_that_fails_after_its_benchmark_is_not_saved_and_its_record_failed(session):
    assert session.done.returncode == 1
    assert "test_fails_after_the_benchmark" not in session.benchmarks
    record = session.records["test_fails_after_the_benchmark"]
    assert (record.status, record.metrics) == ("failed", {})
    assert record.reasons[0].code == "test_failed"
    assert "the answer was wrong" in record.reasons[0].detail
    assert all(energy.joules is None for window in record.windows for energy in window.energy)


def test_the_work_of_a_round_is_that_of_all_its_calls(session):
    record = session.records["test_calls_several_times_a_round"]
    assert (record.workload.name, record.windows[0].work, record.windows[0].batches) == ("many", 400.0, 4)
    assert record.metrics["rate"].value == pytest.approx(400.0, rel=0.05)
    entry = session.benchmarks["test_calls_several_times_a_round"]["extra_info"]["perwatt"]
    assert (entry["work"], entry["work_per_round"]) == (100.0, 400.0)


def test_a_wrong_entry_fails_its_test_and_no_other(session):
    assert "test_states_a_wrong_work" not in session.benchmarks
    record = session.records["test_states_a_wrong_work"]
    assert "extra_info.perwatt: key work: expected a number, got 'much'" in record.reasons[0].detail


def test_a_results_folder_that_takes_nothing_is_a_usage_error_before_the_first_test(tmp_path):
    (tmp_path / "file").write_text("")
    done = run_pytest(tmp_path, "--perwatt-watts", "100", "--perwatt-out", "file/results")
    assert done.returncode == 4
    assert "--perwatt-out: expected a folder that can be made, got file, which is a file" in done.stderr


def test_a_record_that_its_folder_refuses_is_elsewhere_and_the_session_fails_and_goes_on(tmp_path):
    (tmp_path / "test_two.py").write_text(
        "import pathlib, shutil, pytest\n"
        "@pytest.mark.parametrize('i', [1, 2])\n"
        "def test_a(benchmark, i):\n"
        "    benchmark.pedantic(int, rounds=2)\n"
        "    shutil.rmtree('results', ignore_errors=True)\n"
        "    pathlib.Path('results').touch()\n"
    )
    done = run_pytest(tmp_path, "--perwatt-watts", "100", "-k", "test_a", "test_two.py")
    assert done.returncode == 1
    assert "2 passed" in done.stdout
    assert done.stdout.count("which is a file; the whole result is in") == 2
    assert len(list(result_folders(tmp_path / "state" / "perwatt" / "rescued"))) == 2


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("test_lets_the_rounds_be_chosen", "not_pedantic"),
        ("test_has_no_load_before", "lead_short"),
        ("test_times_with_another_clock", "timer_mismatch"),
    ],
)
def test_what_breaks_the_energy_is_a_reason_and_no_joules(session, name, code):
    (energy,) = session.benchmarks[name]["extra_info"]["perwatt"]["energy"]
    assert energy["joules"] is None
    assert code in energy["reasons"]


def test_precision_is_refused_together_with_power(tmp_path):
    done = run_pytest(tmp_path, "--perwatt-watts", "100", "--benchmark-precision=0.01")
    assert done.returncode == 4
    assert "--benchmark-precision" in done.stderr


def test_another_timer_is_refused_together_with_power(tmp_path):
    done = run_pytest(tmp_path, "--perwatt-watts", "100", "--benchmark-timer=time.process_time")
    assert done.returncode == 4
    assert "--benchmark-timer=bench.pytest_plugin.timer.stamp" in done.stderr


def test_a_wrong_meter_is_a_usage_error(tmp_path):
    done = run_pytest(tmp_path, "--perwatt-meter", "shely:x")
    assert done.returncode == 4
    assert "did you mean shelly" in done.stderr


def test_a_file_is_imported_and_exported_and_imported_again(session, tmp_path):
    records = {record.workload.parameters["test"]: record for record in import_json(session.folder / "out.json")}
    good = records["test_inner.py::test_good"]
    assert good.metrics["rate"].value == pytest.approx(session.records["test_good"].metrics["rate"].value)
    assert good.metrics["energy_per_hash_wall"].tier == "B"
    assert "imported" in {reason.code for reason in good.warnings}
    path = tmp_path / "again.json"
    path.write_text(json.dumps(export_json([good]), default=str))
    (again,) = import_json(path)
    assert again.metrics["rate"].value == pytest.approx(good.metrics["rate"].value)
    assert again.metrics["energy_per_hash_wall"].value == pytest.approx(good.metrics["energy_per_hash_wall"].value)


def test_pytest_benchmark_itself_reads_an_exported_file(session, tmp_path):
    storage = tmp_path / ".benchmarks" / "Linux-CPython-3"
    storage.mkdir(parents=True)
    (storage / "0001_perwatt.json").write_text(json.dumps(export_json([session.records["test_good"]]), default=str))
    done = subprocess.run(
        [sys.executable, "-m", "pytest_benchmark", f"--storage=file://{tmp_path / '.benchmarks'}", "compare", "0001"],
        cwd=tmp_path, capture_output=True, text=True, timeout=600, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert "test_good" in done.stdout


DATED = '{"datetime": "2026-01-01", "benchmarks": %s}'


@pytest.mark.parametrize("text", ["", "{}", "[]", '{"datetime": "x", "benchmarks": []}', DATED % "[{}]", DATED % "3"])
def test_a_file_of_another_form_is_one_line(tmp_path, text):
    path = tmp_path / "x.json"
    path.write_text(text)
    with pytest.raises(InputError, match="pytest-benchmark") as error:
        import_json(path)
    assert "\n" not in str(error.value)
