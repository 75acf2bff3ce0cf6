"""Launches of numba.cuda kernels without Numba's warning of small grids, which small windows of nonces have."""

import contextlib
import warnings
from collections.abc import Iterator


@contextlib.contextmanager
def small_grids_allowed() -> Iterator[None]:
    """Suppress numba-cuda's warning of a small grid within the context."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message=r"Grid size \d+ will likely result")
        yield
