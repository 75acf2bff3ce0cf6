"""Products of few rows with large weights on the CPU: BLAS on panels small enough to need no packing."""

import math
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float32]

MOST_ROWS = 24
"""Rows up to which panels win: with more, packing the weights once is worth it."""
MOST_WORK = 1_000_000
"""Rows x inner x outer up to which OpenBLAS multiplies without packing first (SMALL_MATRIX_OPT)."""
PANELS = (256, 128, 64, 32)
LEAST_BYTES = 1 << 20
"""Weights below this are not worth a second thread."""


class Products:
    """Matrix products on some threads; `threads` must be what BLAS is bound to.

    It also holds the arrays that results go to, by name, so that a large one is not made of fresh pages each time.
    """

    def __init__(self, threads: int = 1) -> None:
        self.threads = threads
        self._pool = ThreadPoolExecutor(threads - 1) if threads > 1 else None
        self._held: dict[str, Array] = {}

    def room(self, name: str, *shape: int) -> Array:
        """Return an array of a shape under a name, its content undefined; the next one of that name replaces it."""
        size = math.prod(shape)
        held = self._held.get(name)
        if held is None or held.size < size:
            held = self._held[name] = np.empty(size, np.float32)
        return held[:size].reshape(shape)

    def product(self, entering: Array, matrix: Array, into: str) -> Array:
        """Return entering @ matrix.T: [rows, inner] and [outer, inner] give [rows, outer], in the room named `into`.

        Few rows make it a stream of weights through the cores: BLAS would first copy them into its own order, at the
        cost of the product itself. Panels of `matrix` below its limit for that go straight to the kernel.
        """
        rows, inner = entering.shape
        outer = matrix.shape[0]
        panel = next((width for width in PANELS if rows * width * inner <= MOST_WORK and outer % width == 0), 0)
        out = self.room(into, rows, outer)
        if rows == 1 or rows > MOST_ROWS or not panel:
            np.matmul(entering, matrix.T, out=out)
            return out
        panels = matrix.reshape(outer // panel, panel, inner)
        turned = np.empty((outer // panel, panel, rows), np.float32)
        right = np.ascontiguousarray(entering.T)
        parts = min(self.threads, len(panels)) if matrix.nbytes >= LEAST_BYTES else 1
        if parts == 1 or self._pool is None:
            np.matmul(panels, right, out=turned)
        else:
            bounds = [len(panels) * part // parts for part in range(parts + 1)]
            waiting = [
                self._pool.submit(np.matmul, panels[low:high], right, out=turned[low:high])
                for low, high in pairwise(bounds[1:])
            ]
            np.matmul(panels[: bounds[1]], right, out=turned[: bounds[1]])
            for part in waiting:
                part.result()
        np.copyto(out, turned.reshape(outer, rows).T)
        return out

    def close(self) -> None:
        """End the threads and release the rooms; may be called twice."""
        self._held.clear()
        if self._pool is not None:
            self._pool.shutdown()
            self._pool = None
