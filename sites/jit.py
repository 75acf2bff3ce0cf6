"""Numba compilation of sites, with a cache that is renewed when any file of its compiled code changes."""

from __future__ import annotations

import hashlib
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from kernels.jit import stamped_njit

if TYPE_CHECKING:
    from collections.abc import Callable

COMPILED_FILES = (
    "dispatch/columns.py",
    "dispatch/formulas.py",
    "dispatch/kernels/compiled_formulas.py",
    "dispatch/kernels/ranking.py",
    "dispatch/kernels/year.py",
    "hours/power.py",
    "scenarios/kernels/coupled.py",
    "scenarios/kernels/paths.py",
    "scenarios/kernels/philox.py",
    "scenarios/kernels/plain.py",
    "scenarios/kernels/tile.py",
    "scenarios/kernels/vectors.py",
    "storage/kernels/corners.py",
    "storage/kernels/joint.py",
)


@cache
def compiled_digest() -> str:
    """Return a digest of the files whose code or constants are compiled into functions of other files."""
    folder = Path(__file__).parent
    return hashlib.sha256(b"".join((folder / name).read_bytes() for name in COMPILED_FILES)).hexdigest()


def site_njit(function: Callable[..., Any]) -> Any:
    """Compile with `nogil` and a cache stamped with the function's file and with `compiled_digest`."""
    return stamped_njit(function, compiled_digest())


def site_njit_inlined(function: Callable[..., Any]) -> Any:
    """Compile likewise, and put the code into that of each caller: named tuples of arrays are dear to pass."""
    return stamped_njit(function, compiled_digest(), forceinline=True)
