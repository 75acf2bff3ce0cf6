"""Shell completion: names of commands, options, results, devices, sites and workloads, without loading a command."""

import pytest
from click.shell_completion import ShellComplete

from bench.cli import COMMANDS, perwatt


def complete(line):
    *words, incomplete = line.split(" ")
    return [
        item.value
        for item in ShellComplete(perwatt, {}, "perwatt", "_PERWATT_COMPLETE").get_completions(words, incomplete)
    ]


def test_commands_are_completed_with_their_help():
    assert complete("") == list(COMMANDS)
    assert complete("re") == ["report", "results"]
    assert complete("list pro") == ["profiles"]
    assert complete("--v") == ["--version"]


def test_completion_of_a_command_imports_none():
    import subprocess
    import sys

    code = (
        "import sys\n"
        "from click.shell_completion import ShellComplete\n"
        "from bench.cli import COMMANDS, perwatt\n"
        "ShellComplete(perwatt, {}, 'perwatt', '_PERWATT_COMPLETE').get_completions([], '')\n"
        "print([module for module, _, _ in COMMANDS.values() if module in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


@pytest.mark.parametrize(
    ("line", "name"),
    [
        ("feed fetch ope", "openrouter"),
        ("show antminer-s2", "antminer-s21"),
        ("compare antminer-s21 nvidia-h2", "nvidia-h200"),
        ("yield geor", "georgia-50mw-gpu-modules"),
        ("yield georgia-50mw-mining --capital 50-e", "50-ehs-for-400-musd"),
        ("run sha256d_scan_c", "sha256d_scan_cpu"),
        ("run ll", "llm"),
        ("run llm --model llama-3.1-8", "llama-3.1-8b"),
        ("run llm --device nvidia-h10", "nvidia-h100-sxm"),
        ("run --plan sm", "smoke"),
        ("run --meter sh", "shelly"),
        ("miner --family whats", "whatsminer-v3"),
        ("mi", "miner"),
        ("run --thr", "--threads"),
        ("run llm --dt", "--dtype"),
        ("list results --workload matmul_f32", "matmul_f32_cpu"),
        ("validate inf", "inference"),
    ],
)
def test_names_are_completed(line, name):
    assert name in complete(line)


def test_results_are_completed_from_the_folder_that_the_line_names(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for store, name in (("results", "20260101T000000Z-a-0001"), ("other", "20260202T000000Z-b-0002")):
        (tmp_path / store / name).mkdir(parents=True)
    assert complete("show 2026") == ["20260101T000000Z-a-0001"]
    assert complete("show --results other 2026") == ["20260202T000000Z-b-0002"]
    assert complete("report 2026") == ["20260101T000000Z-a-0001"]
    (tmp_path / "file").write_text("")
    assert complete("show --results file 2026") == []


def test_site_files_are_completed_by_their_path(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "sites").mkdir()
    for name in ("sites/mine.toml", "sites/notes.txt", "year.toml"):
        (tmp_path / name).write_text("")
    assert complete("yield ye") == ["year.toml"]
    assert complete("yield si") == ["sites/"]
    assert complete("yield sites/") == ["sites/mine.toml"]


def test_a_wrong_command_completes_to_the_right_ones():
    assert complete("nosuch ") == list(COMMANDS)


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_the_script_of_a_shell_is_printed(shell, perwatt):
    import os

    done = perwatt(env={**os.environ, "_PERWATT_COMPLETE": f"{shell}_source"})
    assert done.returncode == 0, done.stderr
    assert f"_PERWATT_COMPLETE={shell}_complete" in done.stdout
