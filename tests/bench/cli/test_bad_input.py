"""Whatever a person mistypes is one line that names place, key, expected and got, with exit status 2."""

import json
import os
import subprocess
import sys

import pytest

from bench.cli import COMMANDS

LONG = "n" * 300


def test_an_unknown_command_names_the_nearest(refused):
    assert "perwatt: expected a known command, got 'docter' (did you mean doctor?)" in refused("docter")


def test_an_unknown_subject_of_list_names_the_nearest_or_all(refused):
    assert "did you mean results?" in refused("list", "result")
    line = refused("list", "nosuch")
    assert all(subject in line for subject in ("workloads", "variants", "models", "profiles", "meters", "results"))


@pytest.mark.parametrize(
    "command",
    [("yield", LONG), ("profile", "check", LONG),
     ("yield", "georgia-50mw-mining", "--scenarios", "8", "--capital", LONG),
     ("profile", "new", "--out", LONG, "--name", "me"), ("yield", "georgia-50mw-mining", "--out", LONG),
     ("run", "memory_copy_cpu", "--meter", f"trace:{LONG}"), ("show", LONG), ("list", "results", "--results", LONG)],
    ids=lambda words: " ".join(words).replace(LONG, "LONG"),
)  # fmt: skip
def test_a_name_that_is_longer_than_a_file_may_have_is_a_wrong_request(command, refused):
    assert "nnn" in refused(*command)


@pytest.mark.parametrize("command", [("compare", "antminer-s21", "h200"), ("show", "h200")])
def test_a_short_name_of_a_profile_names_the_whole_one(command, refused):
    assert "did you mean nvidia-h200" in refused(*command)


def test_a_name_that_is_nothing_mentions_results_and_profiles(refused):
    line = refused("compare", "antminer-s21", "nosuch")
    assert "result in results" in line
    assert "`perwatt list profiles`" in line


def test_the_latest_of_an_empty_store_says_that_it_is_empty(refused):
    assert "the store is empty" in refused("show", "latest:memory_copy_cpu")


@pytest.mark.parametrize(
    "command",
    [("run", "--out", ""), ("compare", "a", "b", "--out", ""), ("show", "a", "--results", " "),
     ("list", "results", "--results", ""), ("report", "--results", "")],
)  # fmt: skip
def test_an_empty_path_is_not_the_current_folder(command, refused, tmp_path):
    assert ": expected a folder, got '" in refused(*command)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    "command", [("report", "--results"), ("list", "results", "--results"), ("show", "a", "--results")]
)
def test_a_store_that_is_a_file_is_refused(command, refused, tmp_path):
    (tmp_path / "file").write_text("")
    assert "file: expected a results folder, got a file" in refused(*command, "file")
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


def test_a_closed_stdout_is_refused_in_one_line(tmp_path):

    for closed, lines in (">&-", 1), (">&- 2>&-", 0):
        done = subprocess.run(
            f"exec {sys.executable} -m bench list variants {closed}",
            shell=True, capture_output=True, text=True, check=False, cwd=tmp_path,
        )  # fmt: skip
        assert (done.returncode, done.stderr.count("\n")) == (2, lines), done.stderr
        assert "internal" not in done.stderr


@pytest.mark.parametrize(
    ("command", "message"),
    [
        ("doctor --jsn", "perwatt doctor: expected a known option, got '--jsn' (did you mean --json?)"),
        ("run --watts 450W", "perwatt run: --watts: expected a number, got '450W'"),
        ("run --threads 1e3", "perwatt run: --threads: expected a whole number, got '1e3'"),
        ("run --threads 1_0", "perwatt run: --threads: expected a whole number, got '1_0'"),
        ("run --watts 1_0", "perwatt run: --watts: expected a number, got '1_0'"),
        ("list results --last 1_0", "perwatt list results: --last: expected a whole number, got '1_0'"),
        ("run --watts", "error: --watts: expected a value, got nothing"),
        ("doctor --json=1", "error: --json: expected no value, got one"),
        ("doctor x", "perwatt doctor: expected no further argument, got 'x'"),
        ("show", "perwatt show: NAME: expected a value, got nothing"),
        ("compare a b --format tabl", "one of table, markdown, csv, json, got 'tabl' (did you mean table?)"),
        ("compare a b --hashprice -1", "perwatt compare: --hashprice: expected a number in the range"),
    ],
)
def test_a_request_that_click_refuses_names_command_option_expected_and_got(command, message, refused):
    assert message in refused(*command.split())


@pytest.mark.parametrize("words", ["--publish --plan smoke", "--plan smoke --publish", "--quick --publish"])
def test_two_plans_at_once_are_refused(words, refused):
    assert "--plan: expected one measurement plan, got '--" in refused("run", "matmul_f32_cpu", *words.split())


def test_an_unknown_workload_names_the_nearest(refused):
    line = refused("run", "sha256d_scan_cpv")
    assert "workload: expected a known workload, got 'sha256d_scan_cpv'" in line
    assert "did you mean sha256d_scan_cpu" in line


@pytest.mark.parametrize("threads", ["0", "-1", "100000"])
def test_threads_outside_the_cores_are_refused(threads, refused):
    assert "--threads: expected 1 to" in refused("run", "matmul_f32_cpu", "--threads", threads)


def test_threads_that_are_no_number_are_refused(refused):
    assert "--threads" in refused("run", "matmul_f32_cpu", "--threads", "two")


@pytest.mark.parametrize("watts", ["-5", "0", "nan", "inf"])
def test_a_power_that_is_none_is_refused(watts, refused, tmp_path):
    assert "--watts: expected a power from 0.001 to" in refused("run", "matmul_f32_cpu", "--watts", watts)
    assert not list(tmp_path.glob("results/*"))


def test_an_unknown_variant_names_the_known_ones(refused):
    assert "expected one of" in refused("run", "sha256d_scan_cpu", "--variant", "lane16")


def test_an_unknown_plan_names_the_known_ones(refused):
    assert "--plan: expected one of smoke, quick, publish" in refused("run", "matmul_f32_cpu", "--plan", "fast")


def test_an_unknown_meter_names_the_known_ones(refused):
    assert "--meter" in refused("run", "matmul_f32_cpu", "--meter", "shely:10.0.0.1")


def test_a_device_that_the_workload_does_not_run_on_is_refused(refused):
    assert "--device" in refused("run", "matmul_f32_cpu", "--device", "gpu:0")


def test_a_results_path_under_a_file_is_refused_before_anything_runs(refused, tmp_path):
    (tmp_path / "file").write_text("")
    assert "is a file" in refused("run", "matmul_f32_cpu", "--out", tmp_path / "file" / "results")


def test_an_unknown_profile_names_the_nearest(refused):
    assert "antminer-s21" in refused("show", "antminer-s2l")


def test_an_unknown_result_is_refused(refused):
    assert "known id" in refused("show", "20260101T000000Z-nothing")


def test_a_corrupt_result_is_named_and_the_others_are_listed(perwatt, tmp_path):
    folder = tmp_path / "results" / "20260101T000000Z-broken-0000"
    folder.mkdir(parents=True)
    (folder / "result.json").write_text('{"schema_version": 1, ')
    done = perwatt("list", "results")
    assert done.returncode == 0
    assert "warning: " in done.stderr
    assert "result.json" in done.stderr
    assert "Traceback" not in done.stderr


def test_showing_a_corrupt_result_is_refused(refused, tmp_path):
    folder = tmp_path / "results" / "20260101T000000Z-broken-0000"
    folder.mkdir(parents=True)
    (folder / "result.json").write_text("[]")
    assert "expected a JSON object" in refused("show", folder.name)


def test_an_unfinished_folder_is_ignored_and_said_so(perwatt, tmp_path):
    (tmp_path / "results" / ".tmp-20260101T000000Z-x-0000-1").mkdir(parents=True)
    done = perwatt("list", "results", "--json")
    assert json.loads(done.stdout) == []
    assert "1 unfinished temporary folder" in done.stderr


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_has_help(command, perwatt):
    done = perwatt(command, "--help")
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("Usage: perwatt")


def test_help_and_list_import_nothing_heavy():

    heavy = ["numba", "numpy", "pyarrow", "scipy", "matplotlib", "pandas", "cupy", "pydantic"]
    code = (
        "import sys\n"
        "try:\n    from bench.cli import main; main(sys.argv[1:])\n"
        "except SystemExit:\n    pass\n"
        f"print(sorted(set({heavy}) & set(sys.modules)), file=sys.stderr)"
    )
    for arguments in (["--help"], ["list", "workloads"], ["list", "results"]):
        done = subprocess.run([sys.executable, "-c", code, *arguments], capture_output=True, text=True, check=True)
        assert done.stderr.strip() == "[]", arguments


def test_a_foreign_kernels_package_is_refused_with_the_cure(tmp_path):

    (tmp_path / "kernels").mkdir()
    (tmp_path / "kernels" / "__init__.py").write_text("")
    done = subprocess.run(
        [sys.executable, "-c", f"import sys; sys.path.insert(0, {str(tmp_path)!r}); import bench"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode != 0
    assert "virtual environment of its own" in done.stderr


def test_profiles_that_are_not_there_are_told_before_anything_is_measured(refused, tmp_path):

    line = refused("run", "--plan", "smoke", env={**os.environ, "PERWATT_PROFILES": str(tmp_path / "nowhere")})
    assert "PERWATT_PROFILES: expected a folder" in line
    assert not list(tmp_path.glob("results/*"))


@pytest.mark.parametrize("command", ["list profiles", "show antminer-s21", "list workloads --json"])
def test_a_reader_that_goes_away_is_no_failure(command, tmp_path):
    import subprocess

    reader, writer = os.pipe()
    os.close(reader)
    try:
        done = subprocess.run(
            [sys.executable, "-m", "bench", *command.split()], cwd=tmp_path, stdout=writer, stderr=subprocess.PIPE,
            check=False,
        )  # fmt: skip
    finally:
        os.close(writer)
    assert (done.returncode, done.stderr) == (0, b"")


def test_a_plot_on_a_full_disk_leaves_no_half_of_it(tmp_path, monkeypatch):
    import errno

    from sites.files import write_file

    def full(_):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space left") as raised:
        write_file(tmp_path / "plot.svg", b"x" * 100)
    assert raised.value.filename == str(tmp_path / "plot.svg")
    assert list(tmp_path.iterdir()) == []


def test_a_profile_whose_file_name_no_command_could_name_is_refused(refused, tmp_path):
    (tmp_path / "own").mkdir()
    (tmp_path / "own" / "My Miner.toml").write_text("")
    assert "My Miner.toml: expected a file name of lower-case words" in refused(
        "list", "profiles", "--profiles", tmp_path / "own"
    )


def test_an_ambiguous_id_lists_three_results_in_plain_text(refused, tmp_path):
    for number in range(4):
        folder = tmp_path / "results" / f"20260101T00000{number}Z-x-0000"
        folder.mkdir(parents=True)
        (folder / "result.json").write_text("{}")
    line = refused("show", "20260101T")
    assert "result '20260101T': expected one result, got 4 with this beginning: 20260101T000000Z-x-0000, " in line
    assert "20260101T000002Z-x-0000, …" in line
    assert "20260101T000003Z" not in line
