"""Launching numba.cuda kernels: a window of few nonces is a small grid, and no reason for a warning."""

import contextlib
import warnings
from collections.abc import Iterator


@contextlib.contextmanager
def small_grids_allowed() -> Iterator[None]:
    """Keep numba-cuda's warning of a small grid from whoever launches within."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message=r"Grid size \d+ will likely result")
        yield
