"""The environment variables that set Numba's compiler, checked without importing it."""

import os
import re
import resource
from collections.abc import Mapping
from importlib import import_module
from pathlib import Path

from kernels.errors import KernelInputError

_FEATURES = re.compile(r"[+-][\w.-]+(,[+-][\w.-]+)*")
_LEAST_ADDRESSES = 768 * 2**20  # [byte]
_CHECKED = {  # here; Numba itself checks all others
    "NUMBA_CACHE_DIR",
    "NUMBA_CPU_FEATURES",
    "NUMBA_CPU_NAME",
    "NUMBA_DISABLE_JIT",
    "NUMBA_NUM_THREADS",
}


SETTINGS_FILE = ".numba_config.yaml"  # which Numba reads in the current folder


def compiler_settings() -> list[str]:
    """Return everything that a user sets for the compiler: Numba's variables and its file in the current folder."""
    variables = sorted(f"{name}={value}" for name, value in os.environ.items() if name.startswith("NUMBA_"))
    file = Path(SETTINGS_FILE)
    return [*variables, file.read_text(encoding="utf-8", errors="replace") if file.is_file() else ""]


def check_compiler() -> None:
    """Check the memory and all settings before a run; Numba is imported only if one is set that it alone can read.

    Raises
    ------
    KernelInputError
        The compiler cannot be used with them.
    """
    check_memory()
    check_settings(os.environ)
    if any(name.startswith("NUMBA_") and name not in _CHECKED for name in os.environ):
        import_module("kernels.compiler")


def check_settings(environment: Mapping[str, str]) -> None:
    """Check those variables of Numba that end it or that no kernel works with.

    Raises
    ------
    KernelInputError
        A variable has a value that Numba or LLVM cannot use.
    """
    threads = environment.get("NUMBA_NUM_THREADS", "1")
    if not re.fullmatch(r"0{0,9}[1-9][0-9]{0,5}", threads):
        raise refused("NUMBA_NUM_THREADS", "a number of threads from 1", threads)
    interpreted = environment.get("NUMBA_DISABLE_JIT", "0")
    if interpreted != "0":
        raise refused("NUMBA_DISABLE_JIT", "0 or no such variable, because every kernel is compiled", interpreted)
    cpu, features = environment.get("NUMBA_CPU_NAME", ""), environment.get("NUMBA_CPU_FEATURES", "")
    if features and not _FEATURES.fullmatch(features):
        raise refused("NUMBA_CPU_FEATURES", "names of features, each after + or -, with commas between", features)
    if cpu and _complaint(cpu, ""):
        raise refused("NUMBA_CPU_NAME", "a name of a CPU that LLVM knows", cpu)
    if features and _complaint(cpu, features):
        raise refused("NUMBA_CPU_FEATURES", "names of features that LLVM knows", features)


def _complaint(cpu: str, features: str) -> bytes:
    """Return what LLVM writes to the process's stderr about the name of a CPU and its features."""
    from llvmlite import binding

    binding.initialize_native_target()
    binding.initialize_native_asmprinter()
    target = binding.Target.from_default_triple()
    stderr, written = os.dup(2), os.memfd_create("llvm")
    try:
        os.dup2(written, 2)
        target.create_target_machine(cpu=cpu, features=features)
        os.dup2(stderr, 2)
        return os.pread(written, 1000, 0)
    finally:
        os.dup2(stderr, 2)
        os.close(stderr)
        os.close(written)


def refused(name: str, expected: str, got: str) -> KernelInputError:
    """Return the error of a variable whose value cannot be used."""
    return KernelInputError(f"environment variable {name}: expected {expected}, got {got[:100]!r}")


def check_memory() -> None:
    """Check the limit of addresses (`ulimit -v`): linear algebra asks for ever for what a low limit refuses.

    Raises
    ------
    KernelInputError
        The limit is too low.
    """
    limit, _ = resource.getrlimit(resource.RLIMIT_AS)
    if limit != resource.RLIM_INFINITY and limit < _LEAST_ADDRESSES:
        raise KernelInputError(f"ulimit -v: expected at least {_LEAST_ADDRESSES >> 10} KiB, got {limit >> 10}")
