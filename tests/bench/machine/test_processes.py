"""Children and the command itself import nothing from the current folder, and obey no variable of other programs."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from bench.machine.processes import run_git, run_python
from bench.machine.variables import RECORDED, recorded, settle

ROOT = Path(__file__).resolve().parents[3]
STOLEN = ("json", "signal", "re", "click", "typing", "numpy", "runpy", "enum", "sitecustomize", "shutil")


@pytest.fixture
def trap(tmp_path, monkeypatch):
    """A current folder with modules of the names of others, which leave a file when they are imported."""
    folder = tmp_path / "trap"
    folder.mkdir()
    for name in STOLEN:
        (folder / f"{name}.py").write_text(f"open({str(tmp_path / 'sprung')!r}, 'a').write({name!r} + ' ')\n")
    monkeypatch.chdir(folder)
    yield folder
    assert not (tmp_path / "sprung").exists()


def perwatt(*arguments, entry=("-m", "bench"), **variables):
    environment = {**os.environ, "PYTHONPATH": str(ROOT), **variables}
    return subprocess.run(
        [sys.executable, *entry, *arguments], env=environment, capture_output=True, text=True, timeout=600, check=False
    )


@pytest.mark.usefixtures("trap")
def test_a_child_imports_nothing_from_the_current_folder(monkeypatch):
    monkeypatch.setenv("PYTHONPATH", ".")
    monkeypatch.setenv("PYTHONSTARTUP", "json.py")
    monkeypatch.setenv("PERWATT_TOKEN", "x")
    monkeypatch.syspath_prepend("")
    code = "import json, os, numpy, sys; from bench.machine import clock; print(sys.argv[1:], os.environ)"
    printed = run_python(code, "a b", variables={"NUMBA_CACHE_DIR": "c"})
    assert printed.startswith("['a b']")
    assert "'NUMBA_CACHE_DIR': 'c'" in printed
    assert "PERWATT_TOKEN" not in printed
    assert "PYTHON" not in printed


@pytest.mark.usefixtures("trap")
def test_the_command_imports_nothing_from_the_current_folder():
    entry = "import sys; del sys.path[0]; from bench.__main__ import main; main()"  # as the script `perwatt` does
    for done in (perwatt("list", "workloads"), perwatt("list", "workloads", entry=("-c", entry))):
        assert done.returncode == 0, done.stderr
        assert "memory_copy_cpu" in done.stdout


def test_a_checkout_in_the_current_folder_still_runs(monkeypatch):
    monkeypatch.chdir(ROOT)
    done = perwatt("--version", PYTHONPATH="")
    assert done.stdout.startswith("perwatt ")


def test_a_numba_file_in_the_current_folder_is_refused_in_one_line(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / ".numba_config.yaml").write_text("cache_dir: /tmp/evil\n")
    done = perwatt("list", "workloads")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("error: .numba_config.yaml: expected no such file in the current folder")
    assert done.stderr.count("\n") == 1


@pytest.mark.parametrize("columns", ["²", "9" * 5000, "-5", "0", "x", "٣", "1e3", " "])
def test_an_odd_width_of_the_terminal_is_ignored(columns):
    done = perwatt("list", "workloads", COLUMNS=columns, LINES=columns)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == perwatt("list", "workloads", COLUMNS="").stdout


def test_the_variables_of_other_programs_are_settled():
    environment = {"MPLBACKEND": "module://matplotlib_inline.backend_inline", "OMP_NUM_THREADS": "4,2", "COLUMNS": "80",
                   "LINES": "²", "NUMEXPR_MAX_THREADS": "many", "NUMEXPR_NUM_THREADS": "0", "OTHER": "x"}  # fmt: skip
    settle(environment)
    assert environment == {"MPLBACKEND": "agg", "OMP_NUM_THREADS": "4", "COLUMNS": "80", "OTHER": "x"}


def test_a_plot_is_drawn_in_a_notebook_whatever_backend_it_names(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "matplotlibrc").write_text("backend: module://nowhere\n")
    done = perwatt("compare", "antminer-s21", "whatsminer-m60s", "--plot", "x.svg", MPLBACKEND="module://nowhere")
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "x.svg").is_file()


def test_only_named_variables_are_recorded_and_their_values_are_scrubbed():
    environment = dict.fromkeys(["PERWATT_TOKEN", "OMP_PASSWORD", "NUMBA_X", "CUDA_HOME", "HOME"], "secret")
    kept = {"OMP_NUM_THREADS": "4", "CUDA_VISIBLE_DEVICES": "0,1", "OMP_PLACES": "http://a:b@c"}
    assert recorded({**environment, **kept}) == {**kept, "OMP_PLACES": "http://***@c"}
    assert not [name for name in RECORDED if "PASS" in name or "TOKEN" in name or name.endswith("KEY")]


def test_git_is_asked_without_the_users_variables(tmp_path, monkeypatch):
    subprocess.run(["git", "init", "-q", str(tmp_path)], check=True)
    (tmp_path / "hook").write_text(f"#!/bin/sh\ntouch {tmp_path}/sprung\n")
    (tmp_path / "hook").chmod(0o755)
    subprocess.run(["git", "-C", str(tmp_path), "config", "core.fsmonitor", str(tmp_path / "hook")], check=True)
    monkeypatch.setenv("GIT_DIR", "/nowhere")
    assert run_git(str(tmp_path), "status", "--porcelain", "--untracked-files=no") == ""
    assert run_git(str(tmp_path), "no-such-command") is None
    assert not (tmp_path / "sprung").exists()
