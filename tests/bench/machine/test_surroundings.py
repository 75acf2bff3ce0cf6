"""The command in odd surroundings: settings of compiler, drawings and Python, and a user who owns nothing."""

import os
import resource
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]
HEADERS = ROOT / "kernels/data/known_headers.csv"
COMPILING = [
    ("doctor",),
    ("yield", "georgia-50mw-mining", "--scenarios", "8"),
    ("report", "georgia-50mw-mining", "-o", "page.html"),
    ("verify", "headers", str(HEADERS), "--variant", "scalar"),
    ("run", "memory_copy_cpu", "--plan", "smoke", "--meter", "none"),
    ("run", "llm", "--model", "llama-3.1-8b", "--device", "cpu"),
]
SERVICE_USER = (
    "setpriv", "--reuid=65534", "--regid=65534", "--clear-groups",
    "--inh-caps=+dac_read_search", "--ambient-caps=+dac_read_search",  # it reads the interpreter, wherever that is
)  # fmt: skip


def perwatt(*arguments, prefix=(), **variables):
    environment = {**os.environ, "PYTHONPATH": str(ROOT), **variables}
    words = [*prefix, sys.executable, "-m", "bench", *arguments]
    return subprocess.run(words, env=environment, capture_output=True, text=True, timeout=600, check=False)


@pytest.fixture(autouse=True)
def _in_an_empty_folder(tmp_path, monkeypatch):
    folder = tmp_path / "here"
    folder.mkdir()
    monkeypatch.chdir(folder)


@pytest.mark.parametrize("arguments", COMPILING, ids=" ".join)
def test_each_command_that_compiles_refuses_a_setting_of_the_compiler_in_one_line(arguments):
    done = perwatt(*arguments, NUMBA_NUM_THREADS="abc")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == (
        "error: environment variable NUMBA_NUM_THREADS: expected a number of threads from 1, got 'abc'\n"
    )
    assert list(Path().rglob("result.json")) == []


def test_a_command_that_compiles_nothing_does_not_ask_for_settings_of_the_compiler():
    done = perwatt("list", "workloads", NUMBA_NUM_THREADS="0", NUMBA_DISABLE_JIT="1")
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.slow
@pytest.mark.skipif(os.geteuid() != 0 or not shutil.which("setpriv"), reason="only root can act as another user")
def test_a_user_who_can_write_no_folder_but_the_current_one_computes_and_measures(tmp_path):
    Path.cwd().chmod(0o777)
    for parent in (tmp_path, *tmp_path.parents[:2]):
        parent.chmod(parent.stat().st_mode | 0o055)
    own = {"HOME": "/nonexistent", "XDG_CACHE_HOME": "", "XDG_STATE_HOME": "", "PYTHONDONTWRITEBYTECODE": "1"}
    done = perwatt("verify", "headers", str(HEADERS), "--variant", "scalar", prefix=SERVICE_USER, **own)
    assert (done.returncode, done.stderr) == (0, "")
    run = ("run", "memory_copy_cpu", "--plan", "smoke", "--meter", "none")
    done = perwatt(*run, prefix=SERVICE_USER, **own)
    assert (done.returncode, done.stderr) == (0, "")
    done = perwatt("compare", "antminer-s21", "whatsminer-m60s", "--plot", "x.svg", prefix=SERVICE_USER, **own)
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize(
    "variables",
    [
        {"MPLCONFIGDIR": "/proc"},
        {"MPLCONFIGDIR": "/etc/passwd"},
        {"XDG_CACHE_HOME": "/etc/passwd", "XDG_CONFIG_HOME": "/proc"},
        {"PYTHONWARNINGS": "error", "PYTHONIOENCODING": "ascii", "LC_ALL": "C", "TZ": "Nonsense/Zone"},
        {"TMPDIR": "/nonexistent", "HOME": "", "MPLBACKEND": "module://nowhere"},
    ],
)
def test_a_drawing_is_made_without_a_word_wherever_the_library_may_write(variables):
    done = perwatt("compare", "antminer-s21", "whatsminer-m60s", "--plot", "x.svg", **variables)
    assert (done.returncode, done.stderr) == (0, "")
    assert Path("x.svg").is_file()


@pytest.mark.parametrize("hostile", [b"text.usetex: True\nfont.size: 900\nnonsense\n", b"\xff\xfe", None])
def test_settings_of_drawings_in_the_current_folder_and_of_the_user_change_nothing(tmp_path, hostile):
    arguments = ("compare", "antminer-s21", "whatsminer-m60s", "--plot")
    assert perwatt(*arguments, "x.svg").returncode == 0
    for folder in (Path(), tmp_path / "matplotlib"):
        folder.mkdir(exist_ok=True)
        if hostile is None:
            os.mkfifo(folder / "matplotlibrc")
        else:
            (folder / "matplotlibrc").write_bytes(hostile)
    done = perwatt(*arguments, "y.svg", XDG_CONFIG_HOME=str(tmp_path))
    assert (done.returncode, done.stderr) == (0, "")
    assert Path("y.svg").read_bytes() == Path("x.svg").read_bytes()


@pytest.mark.parametrize("unbuffered", ["", "1"])
@pytest.mark.parametrize("command", [("list", "workloads"), ("list", "profiles", "--json")])
def test_a_disk_that_takes_a_part_of_the_output_is_a_failure(command, unbuffered, tmp_path):
    def limit():
        resource.setrlimit(resource.RLIMIT_FSIZE, (1024, 1024))

    with (tmp_path / "out").open("wb") as out:
        done = subprocess.run(
            [sys.executable, "-m", "bench", *command], cwd=ROOT, stdout=out, stderr=subprocess.PIPE, preexec_fn=limit,
            env={**os.environ, "PYTHONUNBUFFERED": unbuffered}, check=False,
        )  # fmt: skip
    assert (done.returncode, done.stderr) == (1, b"error: system: File too large\n")


@pytest.mark.parametrize("limit_kib", [400_000, 700_000])
def test_a_low_limit_of_addresses_is_one_line_and_no_endless_wait(limit_kib):
    def limit():
        resource.setrlimit(resource.RLIMIT_AS, (limit_kib << 10, limit_kib << 10))

    done = subprocess.run(
        [sys.executable, "-m", "bench", "verify", "headers", "none.csv"],
        cwd=ROOT, capture_output=True, text=True, preexec_fn=limit, timeout=600, check=False,
    )  # fmt: skip
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.count("\n") == 1
