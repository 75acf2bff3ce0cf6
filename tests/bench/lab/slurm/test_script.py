"""The script, run by the system's shell with programs that stand for Slurm's and note how they are called."""

import re
import subprocess

import pytest
from click.testing import CliRunner

from bench.cli import perwatt
from bench.lab.slurm import script as writing
from bench.results.labs.book import Book

LAB = """\
[lab]
name = "x"
[[domain]]
name = "rack"
[[host]]
name = "n[1-2]"
domain = "rack"
[[host]]
name = "n3"
python = "~/a venv/bin/python"
"""


def call(*words):
    return CliRunner().invoke(perwatt, ["lab", "script", *map(str, words)], standalone_mode=False)


@pytest.fixture
def written(tmp_path, monkeypatch):
    """Write the script of two measurements on each host; return its path and the book."""
    (tmp_path / "lab.toml").write_text(LAB)
    store = tmp_path / "a store"
    words = ["--plan", "smoke", "--repeat", 2, "--deadline-s", 90, "--out", store]
    monkeypatch.setattr(writing, "MOST_TASKS", 3)
    done = call(tmp_path / "lab.toml", "sha256d_scan_cpu", *words)
    assert done.exception is None, done.output
    book = Book.open(store)
    return book.folder / "slurm-1.sh", book


@pytest.fixture
def sh(tmp_path, written):
    """Return a function that runs the script, and returns its status, its errors, and how it called programs."""
    calls = tmp_path / "calls"
    for name in ("sbatch", "scontrol", "scancel", "perwatt"):
        program = tmp_path / "bin" / name
        program.parent.mkdir(exist_ok=True)
        end = {"scontrol": '[ "${FAIL-}" != "$1" ]', "sbatch": "echo '7;cluster'"}.get(name, "")
        note = f'printf "%s" {name} >>{calls}\nprintf " <%s>" "$@" >>{calls}\necho >>{calls}'
        program.write_text(f"#!/bin/sh\n{note}\n{end}\n")
        program.chmod(0o755)

    def run(*arguments, **variables):
        calls.write_text("")
        path = f"{tmp_path / 'bin'}:/usr/bin:/bin"
        done = subprocess.run(
            ["sh", str(written[0]), *arguments], env={"PATH": path, "HOME": "/home/of it", **variables},
            capture_output=True, text=True, check=False,
        )  # fmt: skip
        return (
            done.returncode,
            done.stderr,
            [[line.split()[0], *re.findall("<(.*?)>", line)] for line in calls.read_text().splitlines()],
        )

    return run


def test_it_submits_an_array_for_each_lane_with_every_task_pinned_to_its_host(sh, written):
    path, book = written
    status, errors, calls = sh("--partition=lab", "--gres=gpu:8")
    assert (status, errors) == (0, "")
    arrays = [call for call in calls if call[0] == "sbatch"]
    assert [array[-4:] for array in arrays] == [
        [str(path), "task", "rack", "0"], [str(path), "task", "rack", "1"], [str(path), "task", "host:n3", "0"],
    ]  # fmt: skip
    for array in arrays:
        assert {
            "--exclusive", "--no-requeue", "--open-mode=append", "--nodes=1", "--dependency=singleton",
            "--partition=lab", "--gres=gpu:8", f"--output={book.folder}/slurm/%A_%a.txt",
        } <= set(array)  # fmt: skip
    tasks = [next(word for word in array if "--array" in word) for array in arrays]
    assert tasks == ["--array=0-2%1", "--array=0-0%1", "--array=0-1%1"]
    assert [next(word for word in array if word.startswith(("--hold", "--nodelist"))) for array in arrays] == [
        "--hold", "--nodelist=n2", "--nodelist=n3",
    ]  # fmt: skip
    pinned = [tuple(call[2:]) for call in calls if call[:2] == ["scontrol", "update"]]
    assert pinned == [(f"JobId=7_{i}", f"ReqNodeList=n{node}") for i, node in enumerate((1, 2, 1))]
    assert ["scontrol", "release", "7"] in calls


def test_an_array_whose_tasks_slurm_does_not_pin_is_cancelled(sh):
    status, errors, calls = sh(FAIL="update")
    assert (status, "does not pin task 0 of rack to n1" in errors) == (1, True)
    assert calls[-1] == ["scancel", "7"]


def test_a_task_measures_the_job_of_its_index_on_its_host(sh, written):
    _, book = written
    jobs = [job for job in book.plan.jobs if job.host != "n3"]
    for index, job in enumerate(jobs):
        number, task = divmod(index, 3)
        variables = {"SLURM_ARRAY_TASK_ID": str(task), "SLURMD_NODENAME": job.host}
        status, errors, calls = sh("task", "rack", str(number), **variables)
        words = ["lab", "task", "--results", str(book.store.resolve()), book.plan.run_id, job.id]
        assert (status, errors, calls) == (0, "", [["perwatt", *words]])


@pytest.mark.parametrize(
    ("variables", "fault"),
    [
        ({"SLURM_RESTART_COUNT": "1"}, "Slurm has started this task again"),
        ({"SLURMD_NODENAME": "n2"}, "expected node n1, got n2"),
        ({"SLURM_ARRAY_TASK_ID": "9"}, "expected a task of this run, got rack.0.9"),
    ],
)
def test_a_task_that_is_not_what_was_planned_is_refused(sh, variables, fault):
    right = {"SLURM_ARRAY_TASK_ID": "0", "SLURMD_NODENAME": "n1"}
    status, errors, calls = sh("task", "rack", "0", **{**right, **variables})
    assert (status, calls) == (2, [])
    assert fault in errors


def test_a_host_that_does_not_see_the_results_folder_is_refused(sh, written):
    _, book = written
    (book.folder / "plan.json").rename(book.folder / "gone")
    status, errors, calls = sh("task", "rack", "0", SLURM_ARRAY_TASK_ID="0", SLURMD_NODENAME="n1")
    assert (status, calls, "expected a results folder that all hosts share" in errors) == (2, [], True)


def test_the_python_of_a_host_may_be_in_the_home_of_its_user(written):
    path, _ = written
    assert "n3) set -- \"$HOME\"/'a venv/bin/python' -m bench ;;\n" in path.read_text()


def test_a_run_that_lacks_nothing_or_words_that_do_not_fit_are_refused(tmp_path, written):
    _, book = written
    store = ["--out", book.store]
    for words, fault in [
        (["--resume", "no-such-run"], "expected a known run id"),
        (["--resume", book.plan.run_id, tmp_path / "lab.toml"], "expected no lab file"),
        ([tmp_path / "lab.toml"], "at least one workload"),
        ([], "expected a lab file"),
        ([tmp_path / "lab.toml", "sha256d_scan_cpu", "--host", "n9"], "expected a host or miner"),
    ]:
        assert fault in str(call(*words, *store).exception), words
    for job in book.plan.jobs:
        book.append("collected", job=job.id, host=job.host, results=["r"])
    assert "6 planned: 6 measured" in str(call("--resume", book.plan.run_id, *store).exception)


def test_a_script_never_replaces_an_earlier_one(written):
    path, book = written
    text = path.read_text()
    assert call("--resume", book.plan.run_id, "--out", book.store).exception is None
    assert path.read_text() == text
    assert path.with_name("slurm-2.sh").exists()


def test_a_meter_that_another_host_reads_is_said_not_to_be_read(tmp_path):
    meter = '[[meter]]\nname = "pdu"\nspec = "shelly:192.0.2.9"\nread_by = "n3"\ncovers = ["n[1-2]"]\n'
    (tmp_path / "lab.toml").write_text(LAB + meter)
    done = call(tmp_path / "lab.toml", "sha256d_scan_cpu", "--out", tmp_path / "store")
    assert "meter pdu is not read on Slurm: no joules of it for n1, n2" in done.output + done.stderr
