"""`perwatt sweep` on a device that is a file: its records, its curve in every command, and what it refuses."""

import json
import sys
from pathlib import Path

import pytest

DEVICE = Path(__file__).parents[3] / "doubles" / "sweep" / "device.py"
QUICK = ("--plan", "smoke", "--threads", 1, "--variant", "scalar", "--dwell-s", 0.01)


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "device"
    path.write_text("high")
    return path


@pytest.fixture
def sweep(perwatt, file):
    def call(*words, levels="off low mid high", more="", workload="sha256d_scan_cpu"):
        lever = f"hook:{sys.executable} {DEVICE} {file}{more},levels={levels}"
        return perwatt("sweep", workload, "--lever", lever, *QUICK, *words)

    return call


@pytest.fixture
def document(sweep):
    done = sweep("--levels", "high,low", "--rounds", 1, "--watts", 100, "--json")
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_each_visit_is_a_result_with_lever_level_and_the_sweep_in_common(document, file):
    records, curve = document["records"], document["curve"]
    settings = [record["device"]["settings"] for record in records]
    assert {one["lever"] for one in settings} == {"hook"}
    assert {one["level_as_found"] for one in settings} == {"high"}
    assert {one["level"] for one in settings} == {"high", "low"}
    assert settings[0]["level"] == settings[-1]["level"]
    assert {record["run"]["run_id"] for record in records} == {curve["sweep"]}
    assert len({record["workload"]["variant"] for record in records}) == 1
    assert [len(point["records"]) for point in curve["points"]] in ([1, 2], [2, 1])
    assert file.read_text() == "high"
    assert file.with_suffix(".sent").read_text().splitlines()[-1].split()[0] == "restore"


def test_the_commands_that_read_results_know_the_levels(document, perwatt, tmp_path):
    id_ = document["records"][0]["id"]
    shown = perwatt("show", f"curve:{id_}")
    assert "may be the best" in shown.stdout, shown.stderr
    assert json.loads(perwatt("show", f"curve:{id_}", "--json").stdout) == document["curve"]
    assert {row["level"] for row in json.loads(perwatt("list", "results", "--json").stdout)} == {"high", "low"}
    page = perwatt("report", "results", "--out", "page.html")
    assert page.returncode == 0, page.stderr
    html = (tmp_path / "page.html").read_text()
    assert "Operating curves" in html
    assert "chart-curve-0" in html


def test_a_sweep_prints_its_curve_and_draws_it(sweep, tmp_path):
    done = sweep("--levels", "low,high", "--rounds", 1, "--meter", "none", "--plot", "curve.svg")
    assert done.returncode == 0, done.stderr
    for words in ("visit      1 of 3", "restored   the device is as it was found", "optimum", "doubt", "--rounds 2"):
        assert words in done.stdout
    assert "<svg" in (tmp_path / "curve.svg").read_text()


def test_a_device_that_is_too_hot_is_left_alone(sweep, file):
    done = sweep("--hottest-c", 60, more=" 70")
    assert (done.returncode, file.with_suffix(".sent").exists()) == (1, False)
    assert done.stderr == "error: 70 °C, above the limit of 60 °C\n"


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (("--levels", "low,loud"), "--levels: expected a level that can be set"),
        (("--levels", "low"), "--levels: expected 2 to 8 different levels, got 'low'"),
        (("--levels", "off,low"), "--levels: expected levels at which the device works"),
        (("--plot", "curve.bmp"), "--plot: expected a file ending in .svg, .png, .pdf"),
        (("--lever", "hoot:x"), "--lever: expected one of"),
    ],
)
def test_a_wrong_request_is_refused_before_anything_is_set(sweep, file, words, expected):
    done = sweep(*words)
    assert done.returncode == 2
    assert expected in done.stderr
    assert not file.with_suffix(".sent").exists()


def test_a_sweep_of_the_load_of_a_server_is_that_of_perwatt_run_endpoint(perwatt):
    run, swept = (perwatt(*words, "endpoint", "--help").stdout for words in (("run",), ("sweep",)))
    options = [line.split()[0] for line in run.splitlines() if line.startswith("  --")]
    assert options == [line.split()[0] for line in swept.splitlines() if line.startswith("  --")]
    assert "[default: sweep]" in " ".join(swept.split())
