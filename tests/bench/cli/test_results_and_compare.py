"""Lists, trends, comparisons and pytest-benchmark's JSON from the command line."""

import json
import re

import pytest


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    """A store with two interleaved results, and what the command that made them printed."""
    import subprocess
    import sys

    folder = tmp_path_factory.mktemp("compared")
    done = subprocess.run(
        [sys.executable, "-m", "bench", "compare", "--run", "sha256d_scan_cpu:scalar", "sha256d_scan_cpu:scalar",
         "--plan", "smoke", "--pairs", "2", "--json"],
        cwd=folder, capture_output=True, text=True, timeout=600, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return folder, json.loads(done.stdout)


def test_two_workloads_are_interleaved_and_too_few_pairs_are_no_verdict(store):
    _, document = store
    pairs = document["pairs"]
    assert 2 <= pairs["pairs"] <= 4
    assert (pairs["verdict"], pairs["reason"]) == (None, "not quiet: no verdict")
    assert pairs["ungated_ratio"] > 0.0
    assert document["rows"][0]["reason"] == "plan smoke is never compared"


@pytest.mark.parametrize(
    ("threads", "env", "expected"),
    [
        ("4096", {}, "--threads: expected 1 to "),
        ("1", {"NUMBA_CPU_NAME": "nonsense"}, "variable NUMBA_CPU_NAME: expected"),
    ],
    ids=["threads", "compiler"],
)
def test_workloads_that_cannot_run_here_are_not_interleaved(threads, env, expected, perwatt, tmp_path):
    done = perwatt("compare", "--run", "sha256d_scan_cpu", "sha256d_scan_cpu", "--threads", threads, env=env)
    assert (done.returncode, done.stdout) == (2, "")
    assert expected in done.stderr
    assert not list(tmp_path.iterdir())


def test_results_are_listed_and_their_trend_shown(store, perwatt):
    folder, _ = store
    listed = json.loads(perwatt("list", "results", "--json", cwd=folder).stdout)
    assert len(listed) == 2
    shown = perwatt("list", "results", "--trend", "rate", cwd=folder)
    assert re.search(r"^sha256d_scan_cpu, 2 results: median", shown.stdout, re.MULTILINE)
    trend = json.loads(perwatt("list", "results", "--trend", "rate", "--json", cwd=folder).stdout)
    assert (trend["schema"], trend["summaries"]["sha256d_scan_cpu"]["n"]) == ("perwatt.trend/2", 2)
    wrong = perwatt("list", "results", "--trend", "rat", cwd=folder)
    assert wrong.returncode == 2
    assert "did you mean rate" in wrong.stderr


def test_a_result_shows_its_windows_and_the_runners_own_cost(store, perwatt):
    folder, document = store
    shown = perwatt("show", document["rows"][0]["name"], cwd=folder).stdout
    assert "2 windows of 0.2 s (no meter: rates only)" in shown
    assert re.search(r"overhead of the runner: \d\.\d+% of the windows", shown)


def test_a_result_whose_samples_were_changed_is_shown_with_a_warning_and_not_compared(store, perwatt, tmp_path):
    import shutil

    folder, document = store
    names = [row["name"] for row in document["rows"][:2]]
    shutil.copytree(folder / "results", tmp_path / "results")
    samples = tmp_path / "results" / names[0] / "samples.parquet"
    samples.write_bytes(b"x")
    shown = perwatt("show", names[0])
    assert (shown.returncode, "CHANGED SINCE" in shown.stdout) == (0, True)
    assert shown.stderr.startswith("warning: ")
    assert "samples.parquet: expected" in shown.stderr
    refused = perwatt("compare", *names)
    assert (refused.returncode, refused.stderr.count("\n")) == (2, 1)
    assert "it was changed" in refused.stderr
    samples.unlink()
    assert "it is missing" in perwatt("compare", *names).stderr


@pytest.mark.parametrize("shape", ["table", "markdown", "csv", "json"])
def test_refusals_stand_in_their_cell_in_every_format(shape, perwatt):
    done = perwatt("compare", "antminer-s21", "nvidia-h200", "--format", shape)
    assert done.returncode == 0, done.stderr
    assert "unequal boundaries: board and wall" in done.stdout
    if shape == "json":
        assert json.loads(done.stdout)["schema"] == "perwatt.compare/1"
    if shape == "csv":
        assert done.stdout.splitlines()[0].startswith("name,title,kind,figure")


def test_results_travel_to_pytest_benchmark_and_back(store, perwatt):
    folder, document = store
    name = document["rows"][0]["name"]
    done = perwatt("pytest", "export", name, "--to", "out.json", cwd=folder)
    assert done.returncode == 0, done.stderr
    back = json.loads(perwatt("pytest", "import", "out.json", "--out", "back", "--json", cwd=folder).stdout)
    assert back[0]["metrics"]["rate"]["value"] == pytest.approx(document["rows"][0]["value"], rel=0.05)
    missing = perwatt("pytest", "import", "none.json", cwd=folder)
    assert (missing.returncode, missing.stderr.count("\n")) == (2, 1)
    nowhere = perwatt("pytest", "export", name, "--to", "out.json/deeper.json", cwd=folder)
    assert (nowhere.returncode, nowhere.stderr.count("\n")) == (2, 1)


def test_a_changed_file_is_one_line_in_every_command_that_reads_the_result(store, perwatt, tmp_path):
    import shutil

    folder, document = store
    copy = tmp_path / "copy"
    shutil.copytree(folder, copy)
    name = document["rows"][0]["name"]
    with (copy / "results" / name / "samples.parquet").open("ab") as file:
        file.write(b"x")
    site = copy / "site.toml"
    from sites.examples import site_path

    site.write_text(site_path("georgia-50mw-mining").read_text().replace('"antminer-s19-xp"', f'"result:{name}"'))
    for command in (("compare", name), ("pytest", "export", name), ("yield", site)):
        done = perwatt(*command, cwd=copy)
        assert (done.returncode, done.stdout, done.stderr.count("\n")) == (2, "", 1), command
        assert "samples.parquet: expected" in done.stderr
        assert "it was changed" in done.stderr
    shown = perwatt("list", "results", "--trend", "rate", cwd=copy)
    assert shown.stderr.count("it was changed") == 1
    assert "1 result:" in shown.stdout


def test_a_list_that_a_narrow_terminal_cannot_hold_leaves_columns_out_and_says_so(store, perwatt):
    import os

    folder, _ = store
    for arguments, spare in (((), "variant, plan"), (("--trend", "rate"), "workload")):
        done = perwatt("list", "results", *arguments, cwd=folder, env={**os.environ, "COLUMNS": "80"})
        table = [line for line in done.stdout.splitlines() if not line.startswith("2 results")]
        assert max(map(len, table)) <= 80
        assert f"columns hidden (terminal too narrow): {spare}" in done.stdout


def test_a_reason_without_a_verdict_is_printed_once_below_the_table(perwatt):
    done = perwatt("compare", "antminer-s21", "whatsminer-m60s", env={"COLUMNS": "80"})
    assert done.stdout.count("rated over rated") == 1
    assert "[1]  no verdict: rated over rated" in done.stdout
