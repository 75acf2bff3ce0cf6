"""`perwatt compare --by host` and the trend of many hosts, as a user sees them."""

import csv
import io
import json

import numpy as np
import pytest
from doubles.fleets.lab import lab_run
from doubles.fleets.store import miners, put, record


@pytest.fixture(scope="module")
def results(tmp_path_factory):
    store = tmp_path_factory.mktemp("fleet") / "results"
    miners(store, 8, rate_sd=0.01, power_sd=0.01, rng=np.random.default_rng(1), repeats=3, off=-0.1)
    return put(store, *(record(900 + at, host=f"h{at}", rate=7e9 * (1.0 + 0.01 * at)) for at in range(3)))


def test_units_are_shown_with_their_spread_below_the_coverage(results, perwatt):
    done = perwatt("compare", "--by", "host", "sha256d_scan_asic", "--out", results)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("coverage not known: these results come from no lab run")
    assert "asic 00000000" in done.stdout
    assert "OUTLIER" in done.stdout
    assert "at most 5% false alarms" in " ".join(done.stdout.split())
    assert "A CPU of 16 cores" not in done.stdout


@pytest.mark.parametrize("shape", ["json", "csv", "markdown"])
def test_every_format_has_every_unit(shape, results, perwatt):
    done = perwatt("compare", "--by", "host", "--out", results, "--format", shape)
    assert done.returncode == 0, done.stderr
    if shape == "json":
        document = json.loads(done.stdout)
        assert document["schema"] == "perwatt.fleet/1"
        assert [len(model["figures"][0]["by_unit"]) for model in document["models"]] == [3, 8]
    elif shape == "csv":
        rows = list(csv.DictReader(io.StringIO(done.stdout)))
        assert len(rows) == 3 + 3 * 8
        assert {"spread_frac", "mean_interval_95_low", "outlier"} <= set(rows[0])
    else:
        assert done.stdout.count("| h") >= 3


def test_the_coverage_of_a_lab_run_stands_above_the_figures(tmp_path, perwatt):
    documents = [record(at, host=f"gpu{at:02d}", rate=7e9) for at in range(3)]
    store = put(tmp_path / "results", *documents)
    measured = {one["run"]["host"]["name"]: one["id"] for one in documents}
    lab_run(store, "sha256d_scan_cpu", measured, {"gpu03": ("lost", "lost"), "gpu04": ("refused", "clock_off")})
    shown = perwatt("compare", "--by", "host", "--out", store).stdout
    assert shown.startswith("coverage   georgia, run run-1: 5 planned: 3 measured, 1 refused, 1 lost")
    assert shown.index("gpu04") < shown.index("spread")
    assert "coverage not known" not in shown
    document = json.loads(perwatt("compare", "--by", "host", "--out", store, "--json").stdout)
    assert document["coverage_known"] is True
    assert document["coverage"][0]["counts"] == {"measured": 3, "refused": 1, "lost": 1}
    put(store, record(9, host="beyond"))
    assert "1 of 4 results come from no lab run" in perwatt("compare", "--by", "host", "--out", store).stdout


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (("--run",), "--by host: expected no option of a comparison with one device, got '--run'"),
        (("--hashprice", "40"), "got '--hashprice'"),
        (("sha256d_scan_asik",), "; or the workload sha256d_scan_asic"),
        (("--out", "nowhere"), "expected a result of a known unit in nowhere, got no result at all"),
    ],
)
def test_what_cannot_be_compared_is_refused_in_one_line(arguments, expected, results, perwatt):
    store = () if "--out" in arguments else ("--out", results)
    done = perwatt("compare", "--by", "host", *store, *arguments)
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (2, "", 1)
    assert expected in done.stderr


def test_results_of_no_known_unit_are_refused_with_their_number(tmp_path, perwatt):
    store = put(tmp_path / "results", record(1, host=""), record(2, plan="smoke"))
    done = perwatt("compare", "--by", "host", "--out", store)
    assert done.returncode == 2
    assert "got 2 that do not count (1 unknown host, 1 plan smoke)" in done.stderr


def test_a_changed_result_is_named_and_left_out(tmp_path, perwatt):
    documents = [record(at, host=f"h{at}") for at in range(3)]
    store = put(tmp_path / "results", *documents)
    path = store / documents[0]["id"] / "result.json"
    path.write_text(path.read_text().replace("7000000000", "9000000000"))
    done = perwatt("compare", "--by", "host", "--out", store, "--json")
    assert done.returncode == 0
    assert "not counted:" in done.stderr
    document = json.loads(done.stdout)
    assert (document["counted"], document["not_counted"]) == (2, {"unreadable or changed": 1})


def test_a_trend_over_many_hosts_compares_a_unit_with_itself(results, perwatt):
    done = perwatt("list", "results", "--results", results, "--trend", "rate", "--json")
    document = json.loads(done.stdout)
    assert max(abs(point["change_frac"]) for point in document["points"]) < 0.01
    assert any("8 units" in line and "outliers asic 00000000" in line for line in document["fleet"])
    shown = perwatt("list", "results", "--results", results, "--trend", "rate").stdout
    assert shown.index("coverage not known") < shown.index("host")
    assert "drift none of 8" in shown
