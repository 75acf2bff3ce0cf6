"""Numba with a cache that notices when the generator of a kernel changed, not only the kernel's own file."""

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
    "scan_cpu/codegen/hits.py",
    "scan_cpu/codegen/lanes.py",
    "scan_cpu/codegen/lanes_step.py",
    "scan_cpu/codegen/pipeline_assembly.py",
    "scan_cpu/codegen/pipeline_step.py",
    "scan_cpu/codegen/quads_step.py",
    "scan_cpu/codegen/sha_instructions.py",
    "sha256/description.py",
    "sha256/graph.py",
    "sha256/reference.py",
    "sha256/scan_graph.py",
)


@cache
def generator_digest() -> str:
    """Return a digest of every file that takes part in generating a kernel."""
    folder = Path(__file__).parent
    return hashlib.sha256(b"".join((folder / name).read_bytes() for name in _GENERATOR_FILES)).hexdigest()


def kernel_njit(function: Callable[..., Any]) -> Any:
    """Compile with `nogil` and a cache stamped with the function's file and the generator's."""
    return stamped_njit(function, generator_digest())


def stamped_njit(function: Callable[..., Any], digest: str, **options: bool) -> Any:
    """Compile with `nogil` and a cache stamped with the function's file and a digest of whatever else it is made from.

    Numba stamps a cache with the file of the function alone; there is no public way to add to it. Where its inside
    has changed, the cache is switched off rather than trusted.
    """
    dispatcher = njit(nogil=True, cache=True, **options)(function)
    try:
        cache_file = dispatcher._cache._cache_file  # noqa: SLF001
        cache_file._source_stamp = (cache_file._source_stamp, digest)  # noqa: SLF001
    except AttributeError:
        return njit(nogil=True, **options)(function)
    return dispatcher
