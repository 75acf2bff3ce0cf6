"""Products of tokens with large weights on the CPU: streamed for a few, else BLAS on panels that it need not pack."""

import math
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

Array = NDArray[np.float32]

STREAMED_ROWS = 4
"""Rows up to which one pass over the weights, row by row, beats BLAS: memory sets the pace."""
MOST_STREAMED_BYTES = 1 << 14
"""Several rows that are read again for each row of weights: half of a first-level cache of 32 KiB."""
MOST_ROWS = 24
"""Rows up to which a panel takes all at once: more go in blocks."""
BLOCK = 8
"""Rows of a block; up to so many the kernel is fastest when each row lies in one piece, from there when each column."""
MOST_BLOCK_BYTES = 1 << 19
"""Rows that go in blocks: half of a second-level cache of 1 MiB (Zen 4)."""
MOST_WORK = 1_000_000
"""Rows x inner x outer up to which OpenBLAS multiplies without packing first (SMALL_MATRIX_OPT)."""
PANELS = (64, 32)
LEAST_BYTES = 1 << 20
"""Weights below this are not worth a second thread."""


@njit(nogil=True, cache=True, fastmath={"reassoc", "contract"})
def stream(matrix: Any, entering: Any, out: Any) -> None:
    """Write matrix @ entering.T into `out`: [outer, inner], [rows, inner], [outer, rows].

    One row of weights after the other, from its begin to its end: the order in which memory is fastest. BLAS reads
    four rows at once, which costs a Zen 4 core half of its bandwidth.
    """
    rows, inner = entering.shape
    fours = rows // 4 * 4
    for index in range(matrix.shape[0]):
        weights = matrix[index]
        for row in range(0, fours, 4):
            a = b = c = d = np.float32(0.0)
            for k in range(inner):
                a += weights[k] * entering[row, k]
                b += weights[k] * entering[row + 1, k]
                c += weights[k] * entering[row + 2, k]
                d += weights[k] * entering[row + 3, k]
            out[index, row], out[index, row + 1], out[index, row + 2], out[index, row + 3] = a, b, c, d
        for row in range(fours, rows):
            a = np.float32(0.0)
            for k in range(inner):
                a += weights[k] * entering[row, k]
            out[index, row] = a


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
        """Return entering @ matrix.T: [rows, inner] and [outer, inner] give [rows, outer], in the room named `into`."""
        rows, outer = len(entering), len(matrix)
        out = self.room(into, rows, outer)
        if rows > MOST_ROWS:
            np.matmul(entering, matrix.T, out=out)
        else:
            np.copyto(out, self.turned(matrix, entering.T, f"{into}, turned").T)
        return out

    def turned(self, matrix: Array, entering: Array, into: str) -> Array:
        """Return matrix @ entering: [outer, inner] and [inner, rows] give [outer, rows], in the room named `into`.

        BLAS first copies large weights into its own order, which costs as much as the product of a few rows and a
        tenth of that of some hundred. Panels of `matrix` below its limit for that go straight to the kernel.
        """
        inner, rows = entering.shape
        outer = len(matrix)
        out = self.room(into, outer, rows)
        by_rows = np.ascontiguousarray(entering.T) if rows <= BLOCK else entering.T
        if rows == 1 or (rows <= STREAMED_ROWS and by_rows.nbytes <= MOST_STREAMED_BYTES):
            self._split(lambda part: stream(matrix[part], by_rows, out[part]), outer, matrix.nbytes)
            return out
        together = rows if rows <= MOST_ROWS else BLOCK
        panel = next((width for width in PANELS if together * width * inner <= MOST_WORK and outer % width == 0), 0)
        if not panel or (rows > MOST_ROWS and not self._in_blocks(by_rows)):
            np.matmul(matrix, entering, out=out)
            return out
        if BLOCK < rows <= MOST_ROWS:
            blocks = np.ascontiguousarray(entering)[None]
        else:
            blocks = by_rows.reshape(-1, together, inner).transpose(0, 2, 1)
        panels = matrix.reshape(-1, 1, panel, inner)
        results = out.reshape(-1, panel, rows // together, together).transpose(0, 2, 1, 3)
        self._split(lambda part: np.matmul(panels[part], blocks, out=results[part]), len(panels), matrix.nbytes)
        return out

    def _in_blocks(self, by_rows: Array) -> bool:
        """Return whether many rows go in blocks: a cache of the core's own must hold them, for each panel reads them.

        On two threads of ours they were 0.7 to 0.8 times as fast as BLAS on its own, presumably because those of BLAS
        wait for work without sleeping.
        """
        fits = len(by_rows) % BLOCK == 0 and by_rows.nbytes <= MOST_BLOCK_BYTES
        return fits and by_rows.flags.c_contiguous and self.threads == 1

    def _split(self, work: Callable[[slice], object], length: int, weight_bytes: int) -> None:
        """Do a product's work on slices of its weights, one a thread where they are worth it."""
        parts = min(self.threads, length) if weight_bytes >= LEAST_BYTES else 1
        bounds = [length * part // parts for part in range(parts + 1)]
        mine, *others = (slice(*ends) for ends in pairwise(bounds))
        waiting = [self._pool.submit(work, part) for part in others] if self._pool is not None else []
        work(mine)
        for part in waiting:
            part.result()

    def close(self) -> None:
        """End the threads and release the rooms; may be called twice."""
        self._held.clear()
        if self._pool is not None:
            self._pool.shutdown()
            self._pool = None
