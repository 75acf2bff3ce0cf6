"""Stored machine code: loaded only if it is whole, of this very source and compiler, and safe from other users."""

import ctypes
import hashlib
import os
import types
from pathlib import Path

import pytest

from kernels import compiler
from kernels import native as module
from kernels.compiler import types as numba_types
from kernels.native import Code, NotNativeError, emit, native
from kernels.scan_cpu import native_scan
from kernels.scan_cpu.native_scan import NativeScan, NumbaScan, load_scan
from kernels.settings import SETTINGS_FILE, compiler_settings


def twice(number):
    return 2 * number


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    """Keep the code in a folder of the test's own."""
    monkeypatch.setenv("NUMBA_CACHE_DIR", str(tmp_path))
    monkeypatch.setattr(compiler, "SETTINGS", compiler_settings())
    return tmp_path / "perwatt"


def doubled(digest="a"):
    """Return the function as `native` does, and how often it was compiled."""
    compiled = []

    def compile_code():
        compiled.append(1)
        return emit(twice, numba_types.int64(numba_types.int64))

    function = native("twice", digest, (ctypes.c_int64,), compile_code)
    assert function(21) == 42
    return len(compiled), function.from_cache


def test_code_is_compiled_once_and_then_loaded(folder):
    assert [doubled(), doubled()] == [(1, False), (0, True)]
    (file,) = folder.iterdir()
    assert (file.stat().st_mode & 0o777, folder.stat().st_mode & 0o777) == (0o600, 0o700)


def test_code_of_another_source_is_not_loaded():
    assert [doubled("a"), doubled("b"), doubled("a")] == [(1, False), (1, False), (0, True)]


@pytest.mark.parametrize("variable", ["NUMBA_CPU_NAME", "NUMBA_OPT", "NUMBA_SOMETHING_NEW"])
def test_code_for_other_settings_of_the_compiler_is_not_loaded(monkeypatch, variable):
    before = module._key("a")
    monkeypatch.setenv(variable, "3")
    assert module._key("a") != before


def test_code_for_other_settings_in_a_file_is_not_loaded(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    before = module._key("a")
    (tmp_path / SETTINGS_FILE).write_text("opt: 0\n")
    assert module._key("a") != before


def test_settings_that_changed_after_numba_read_them_leave_no_code_behind(monkeypatch):
    monkeypatch.setenv("NUMBA_OPT", "1")
    assert [doubled(), doubled()] == [(1, False), (1, False)]


@pytest.mark.parametrize(
    "damage", [b"", b"x", hashlib.sha256(b"").digest(), None], ids=["empty", "one byte", "no heading", "one bit"]
)
def test_damaged_code_is_compiled_again(folder, damage):
    doubled()
    (file,) = folder.iterdir()
    whole = file.read_bytes()
    file.write_bytes(whole[:-1] + bytes([whole[-1] ^ 1]) if damage is None else damage)
    assert doubled() == (1, False)
    assert doubled() == (0, True)


@pytest.mark.parametrize("mode", [0o770, 0o707, 0o777])
def test_a_folder_that_others_can_write_to_is_not_used(folder, mode):
    doubled()
    folder.chmod(mode)
    assert module.cache_folder() is None
    assert [doubled(), doubled()] == [(1, False), (1, False)]


@pytest.mark.parametrize("mode", [0o620, 0o602])
def test_a_file_that_others_can_write_to_is_not_loaded(folder, mode):
    doubled()
    (file,) = folder.iterdir()
    file.chmod(mode)
    assert doubled() == (1, False)


def test_a_link_is_not_followed(folder, tmp_path):
    doubled()
    (file,) = folder.iterdir()
    moved = file.rename(tmp_path / "elsewhere.o")
    file.symlink_to(moved)
    assert doubled() == (1, False)


def test_a_pipe_is_not_waited_for(folder):
    doubled()
    (file,) = folder.iterdir()
    file.unlink()
    os.mkfifo(file)
    assert doubled() == (1, False)
    assert doubled() == (0, True)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may give a file to another user")
@pytest.mark.parametrize("what", ["folder", "file"])
def test_code_of_another_user_is_not_loaded(folder, what):
    doubled()
    (file,) = folder.iterdir()
    os.chown(folder if what == "folder" else file, 12345, 12345)
    assert doubled()[1] is False


def test_a_folder_that_refuses_the_file_stops_no_kernel(monkeypatch):
    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(module, "_write", full)
    assert [doubled(), doubled()] == [(1, False), (1, False)]


def test_without_a_variable_the_code_lies_beside_the_sources_or_in_the_users_cache(monkeypatch, tmp_path):
    monkeypatch.delenv("NUMBA_CACHE_DIR")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "home"))
    monkeypatch.setattr(module, "__file__", str(tmp_path / "kernels" / "native.py"))
    assert module.cache_folder() == tmp_path / "kernels" / "__pycache__" / "perwatt"
    (tmp_path / "kernels" / "__pycache__" / "perwatt").chmod(0o777)
    assert module.cache_folder() == tmp_path / "home" / "perwatt"


def test_only_the_newest_files_of_a_kernel_are_kept(folder, monkeypatch):
    monkeypatch.setattr(module, "KEPT", 2)
    for age, digest in enumerate("abc"):
        doubled(digest)
        for file in folder.iterdir():
            os.utime(file, (1e9 - age, file.stat().st_mtime - 100))
    assert len(list(folder.iterdir())) == 2
    assert doubled("c") == (0, True)


def test_code_that_calls_numba_is_not_stored():
    def listed(number):
        return len([number])

    with pytest.raises(NotNativeError, match="expected code of its own, got calls of"):
        emit(listed, numba_types.int64(numba_types.int64))


def test_a_numba_with_other_internals_is_named(monkeypatch):
    monkeypatch.setattr(
        "kernels.compiler.njit", lambda **_: lambda function: types.SimpleNamespace(compile=lambda _: function)
    )
    with pytest.raises(NotNativeError):
        emit(twice, None)


@pytest.mark.parametrize(("package", "midstates"), [("compiled", 1), ("version_rolling", 4)])
def test_the_scan_of_numba_and_its_stored_code_agree(monkeypatch, package, midstates):
    import numpy as np

    name = f"kernels.scan_cpu.{package}.scalar"
    jobs = np.arange(12 * midstates, dtype=np.uint32).reshape(midstates, 12)
    jobs[:, 11] = 0  # the mask: every nonce is a candidate
    results = []
    for scan in (NativeScan(name, midstates), NumbaScan(name, midstates)):
        out = np.zeros(100, dtype=np.uint32 if midstates == 1 else np.uint64)
        results.append((scan.STEP, scan.scan_steps(jobs, 2**32 - 5, 12, out), out.tolist()))
    assert results[0] == results[1]
    assert results[0][1] == (12 * midstates, 12)

    def unable(*_):
        raise NotNativeError("x")

    monkeypatch.setattr(native_scan, "NativeScan", unable)
    load_scan.cache_clear()
    assert isinstance(load_scan(name, midstates), NumbaScan)
    load_scan.cache_clear()


def test_arrays_of_another_type_or_shape_are_refused():
    import numpy as np

    from kernels.errors import KernelInputError

    scan = NativeScan("kernels.scan_cpu.compiled.scalar", 1)
    job, out = np.zeros(12, np.uint32), np.zeros(64, np.uint32)
    for jobs in (job[:11], job.astype(np.uint64), np.zeros(24, np.uint32)[::2]):
        with pytest.raises(KernelInputError, match="jobs: expected 12 contiguous uint32"):
            scan.scan_steps(jobs, 0, 1, out)
    for other in (out.astype(np.uint64), out[::2], out.reshape(8, 8)):
        with pytest.raises(KernelInputError, match="out: expected a contiguous array of uint32"):
            scan.scan_steps(job, 0, 1, other)


def test_a_code_names_its_function_and_its_step():
    code = emit(twice, numba_types.int64(numba_types.int64), step=7)
    assert isinstance(code, Code)
    assert (code.step, "twice" in code.symbol, Path(code.symbol).name) == (7, True, code.symbol)
