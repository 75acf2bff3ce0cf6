"""Numba, imported here and nowhere else: its settings of the environment are checked first.

Numba warns of a setting that it cannot read, with a traceback, and LLVM aborts the process at some. Each is one line.
"""

import os
import re
import resource
import warnings
from collections.abc import Mapping

from kernels.errors import KernelInputError

_FEATURES = re.compile(r"[+-][\w.-]+(,[+-][\w.-]+)*")
_LEAST_ADDRESSES = 768 * 2**20  # [byte]
_UNREAD = re.compile(r"Environment variable '(\w+)' is defined but its associated value")


def check_settings(environment: Mapping[str, str]) -> None:
    """Check those variables of Numba that end it or that no kernel works with.

    Raises
    ------
    KernelInputError
        A variable has a value that Numba or LLVM cannot use.
    """
    threads = environment.get("NUMBA_NUM_THREADS", "1")
    if not re.fullmatch(r"0{0,9}[1-9][0-9]{0,5}", threads):
        raise _refused("NUMBA_NUM_THREADS", "a number of threads from 1", threads)
    interpreted = environment.get("NUMBA_DISABLE_JIT", "0")
    if interpreted != "0":
        raise _refused("NUMBA_DISABLE_JIT", "0 or no such variable, because every kernel is compiled", interpreted)
    cpu, features = environment.get("NUMBA_CPU_NAME", ""), environment.get("NUMBA_CPU_FEATURES", "")
    if features and not _FEATURES.fullmatch(features):
        raise _refused("NUMBA_CPU_FEATURES", "names of features, each after + or -, with commas between", features)
    if cpu and _complaint(cpu, ""):
        raise _refused("NUMBA_CPU_NAME", "a name of a CPU that LLVM knows", cpu)
    if features and _complaint(cpu, features):
        raise _refused("NUMBA_CPU_FEATURES", "names of features that LLVM knows", features)


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


def _refused(name: str, expected: str, got: str) -> KernelInputError:
    return KernelInputError(f"environment variable {name}: expected {expected}, got {got[:100]!r}")


def _check_memory() -> None:
    """Check the limit of addresses (`ulimit -v`): linear algebra asks for ever for what a low limit refuses."""
    limit, _ = resource.getrlimit(resource.RLIMIT_AS)
    if limit != resource.RLIM_INFINITY and limit < _LEAST_ADDRESSES:
        raise KernelInputError(f"ulimit -v: expected at least {_LEAST_ADDRESSES >> 10} KiB, got {limit >> 10}")


_check_memory()
check_settings(os.environ)
with warnings.catch_warnings(record=True) as _raised:
    warnings.simplefilter("always")
    from numba import njit, types, uint32, uint64
    from numba.cpython.unsafe.tuple import tuple_setitem
    from numba.extending import intrinsic, models, overload, register_jitable, register_model
for _warning in _raised:
    if _match := _UNREAD.match(str(_warning.message)):
        raise _refused(_match[1], "a value that Numba reads", os.environ.get(_match[1], ""))

__all__ = [
    "check_settings", "intrinsic", "models", "njit", "overload", "register_jitable", "register_model",
    "tuple_setitem", "types", "uint32", "uint64",
]  # fmt: skip
