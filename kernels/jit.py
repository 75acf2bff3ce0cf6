"""Numba's compiler with a cache that also notices when the files that generate a kernel change."""

import hashlib
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

from numba import njit

_GENERATOR_FILES = (
    "jit.py",
    "scan_cpu/codegen/assembly.py",
    "scan_cpu/codegen/assembly_target.py",
    "scan_cpu/compiled/candidates.py",
    "scan_cpu/codegen/lanes_target.py",
    "scan_cpu/codegen/lanes_step.py",
    "scan_cpu/codegen/pipeline_assembly.py",
    "scan_cpu/codegen/pipeline_step.py",
    "scan_cpu/codegen/quads_step.py",
    "scan_cpu/codegen/sha_target.py",
    "sha256/description.py",
    "sha256/graph.py",
    "sha256/reference.py",
    "sha256/scan_graph.py",
)


@cache
def generator_digest() -> str:
    """Return the SHA-256 digest of all files that generate kernels."""
    folder = Path(__file__).parent
    return hashlib.sha256(b"".join((folder / name).read_bytes() for name in _GENERATOR_FILES)).hexdigest()


def kernel_njit(function: Callable[..., Any]) -> Any:
    """Compile with `nogil` and a cache that a change of the function's file or of the generator makes stale."""
    return stamped_njit(function, generator_digest())


def stamped_njit(function: Callable[..., Any], digest: str, **options: bool) -> Any:
    """Compile with `nogil` and a cache that a change of the function's file or of `digest` makes stale.

    Numba stamps a cache with the file of the function alone and has no public way to add to the stamp. If Numba's
    internals have changed, the function is compiled without a cache.

    Parameters
    ----------
    function
        Function to compile.
    digest
        Digest of everything else that the compiled code depends on.
    """
    dispatcher = njit(nogil=True, cache=True, **options)(function)
    try:
        cache_file = dispatcher._cache._cache_file  # noqa: SLF001
        cache_file._source_stamp = (cache_file._source_stamp, digest)  # noqa: SLF001
    except AttributeError:
        return njit(nogil=True, **options)(function)
    return dispatcher
