"""The compiler's settings are checked before it is imported, and no fault of its cache stops a kernel."""

import ast
import importlib.util
import os
import subprocess
import sys
from pathlib import Path

import pytest

import kernels
import sites
from kernels.errors import KernelInputError
from kernels.jit import cached_njit
from kernels.settings import check_settings

ROOT = Path(kernels.__file__).parents[1]
ON_A_GPU = {"kernels/scan_cuda/readable.py", "kernels/matmul/readable.py", "kernels/scan_cuda/scan.py"}


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("NUMBA_NUM_THREADS", "0"),
        ("NUMBA_NUM_THREADS", "abc"),
        ("NUMBA_NUM_THREADS", "-1"),
        ("NUMBA_NUM_THREADS", "²"),
        ("NUMBA_NUM_THREADS", "9" * 5000),
        ("NUMBA_DISABLE_JIT", "1"),
        ("NUMBA_DISABLE_JIT", "yes"),
        ("NUMBA_CPU_NAME", "nonsense"),
        ("NUMBA_CPU_NAME", "host"),
        ("NUMBA_CPU_FEATURES", "nonsense"),  # at which LLVM aborts the process
        ("NUMBA_CPU_FEATURES", "+nonsense"),
        ("NUMBA_CPU_FEATURES", "+avx2,,"),
    ],
)
def test_a_setting_that_no_kernel_works_with_is_one_line_that_names_the_variable(name, value, capfd):
    with pytest.raises(KernelInputError, match=rf"environment variable {name}: expected .+, got ") as refused:
        check_settings({name: value})
    assert "\n" not in str(refused.value)
    assert len(str(refused.value)) < 250
    assert capfd.readouterr().err == ""


def test_usual_settings_are_accepted():
    check_settings({"NUMBA_NUM_THREADS": "2", "NUMBA_DISABLE_JIT": "0", "NUMBA_CPU_NAME": "generic"})
    check_settings({"NUMBA_CPU_NAME": "", "NUMBA_CPU_FEATURES": "", "NUMBA_NUM_THREADS": "04"})


@pytest.mark.parametrize("action", ["import kernels.compiler", "kernels.settings.check_compiler()"])
@pytest.mark.parametrize("name", ["NUMBA_OPT", "NUMBA_BOUNDSCHECK", "NUMBA_DEBUG_CACHE"])
def test_any_setting_that_numba_cannot_read_is_refused_without_its_traceback(name, action):
    code = f"import kernels.settings\ntry: {action}\nexcept kernels.settings.KernelInputError as error: print(error)"
    done = subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, "PYTHONPATH": str(ROOT), name: "x"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == f"environment variable {name}: expected a value that Numba reads, got 'x'\n"


def test_numba_is_imported_after_the_check_only():
    direct = set()
    for package in (kernels, sites):
        for path in Path(package.__file__).parent.rglob("*.py"):
            nodes = list(ast.walk(ast.parse(path.read_text(encoding="utf-8"))))
            names = [node.module or "" for node in nodes if isinstance(node, ast.ImportFrom)]
            names += [alias.name for node in nodes if isinstance(node, ast.Import) for alias in node.names]
            if any(name.partition(".")[0] == "numba" for name in names):
                direct.add(path.relative_to(ROOT).as_posix())
    assert direct == {"kernels/compiler.py"} | ON_A_GPU


def module(folder, text="def double(x):\n    return 2 * x\n"):
    """Return the function of a module file, so that a cache lies in the folder beside it."""
    path = folder / "some.py"
    path.write_text(text)
    spec = importlib.util.spec_from_file_location("some", path)
    loaded = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(loaded)
    return loaded.double


def test_a_kernel_compiles_where_no_folder_can_hold_a_cache(tmp_path, monkeypatch):
    monkeypatch.setattr("numba.core.caching.CacheImpl._locator_classes", [])
    assert cached_njit()(module(tmp_path))(21) == 42


@pytest.mark.parametrize("suffix", [".nbi", ".nbc"])
@pytest.mark.parametrize("content", [b"", b"junk", None])
def test_a_damaged_file_of_the_cache_is_compiled_anew(tmp_path, suffix, content):
    function = module(tmp_path)
    assert cached_njit()(function)(21) == 42
    (damaged,) = (path for path in (tmp_path / "__pycache__").iterdir() if path.suffix == suffix)
    whole = damaged.read_bytes()
    damaged.write_bytes(whole[: len(whole) // 2] if content is None else content)
    assert cached_njit()(function)(21) == 42
    again = cached_njit()(function)
    assert again(21) == 42
    assert sum(again.stats.cache_hits.values()) == 1  # the file is whole again


def test_a_full_disk_under_the_cache_stops_no_kernel(tmp_path, monkeypatch):
    def full(*_args, **_keys):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("numba.core.caching.IndexDataCacheFile.save", full)
    assert cached_njit()(module(tmp_path))(21) == 42
