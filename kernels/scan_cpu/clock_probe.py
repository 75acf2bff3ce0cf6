"""Additions of known latency and throughput, whose times give the core's clock and show a busy hyperthread."""

import ctypes
import hashlib
import platform
from collections.abc import Callable
from functools import cache
from pathlib import Path

from kernels.native import Code, Native, NotNativeError, native

ADDS_PER_LOOP = 64
FIVES_PER_LOOP = 20
MACHINES = ("x86_64", "aarch64")  # with such a chain


def dependent_adds(loops: int) -> int:
    """Execute `loops * ADDS_PER_LOOP` dependent 64-bit additions, one a cycle, and return their sum.

    Raises
    ------
    KeyError
        This kind of CPU has no such chain.

    References
    ----------
    Latency 1 on every x86-64 and ARMv8 core listed at uops.info and in Arm's optimisation guides.
    """
    return _loaded()[0](loops)


def independent_adds(loops: int) -> int:
    """Execute `loops * FIVES_PER_LOOP` groups of five independent additions.

    They fill the integer ports of a core, so that another process on its second hyperthread slows them down.

    Raises
    ------
    KeyError
        This kind of CPU has no such groups.
    """
    return _loaded()[1](loops)


@cache
def _loaded() -> tuple[Callable[[int], int], Callable[[int], int]]:
    """Return both loops."""
    if platform.machine() not in MACHINES:
        raise KeyError(platform.machine())
    files = [Path(__file__), Path(__file__).with_name("clock_chains.py")]
    digest = hashlib.sha256(b"".join(file.read_bytes() for file in files)).hexdigest()
    try:
        return _native("dependent", digest), _native("independent", digest)
    except NotNativeError:
        from kernels.scan_cpu.clock_chains import numba_loop

        return numba_loop("dependent"), numba_loop("independent")


def _native(name: str, digest: str) -> Native:
    def compile_code() -> Code:
        from kernels.scan_cpu.clock_chains import loop_code

        return loop_code(name)

    return native(f"clock-{name}", digest, (ctypes.c_int64,), compile_code)
