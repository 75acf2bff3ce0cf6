"""Products of tokens with large weights on the CPU, streamed for few rows and by BLAS on panels for more."""

import math
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from kernels.jit import cached_njit

Array = NDArray[np.float32]

STREAMED_ROWS = 4
"""Most rows for which one pass over the weights, row by row, is faster than BLAS: memory limits both."""
MOST_STREAMED_BYTES = 1 << 14
"""Most bytes of rows that are reread for each row of weights: half of a first-level cache of 32 KiB."""
MOST_ROWS = 24
"""Most rows that a panel multiplies at once; more are divided into blocks."""
BLOCK = 8
"""Rows of a block. Up to this number the kernel is fastest if rows are contiguous, above it if columns are."""
MOST_BLOCK_BYTES = 1 << 19
"""Most bytes of rows that are divided into blocks: half of a second-level cache of 1 MiB (Zen 4)."""
MOST_WORK = 1_000_000
"""Largest rows x inner x outer that OpenBLAS multiplies without packing (SMALL_MATRIX_OPT)."""
PANELS = (64, 32)
LEAST_BYTES = 1 << 20
"""Fewest bytes of weights that are worth a second thread."""


@cached_njit(fastmath={"reassoc", "contract"})
def stream(matrix: Any, entering: Any, out: Any) -> None:
    """Write matrix @ entering.T into `out`, one row of weights after the other.

    Memory is fastest in this order. BLAS reads four rows at once, which costs a Zen 4 core half of its bandwidth.

    Parameters
    ----------
    matrix
        Weights, float32 of shape [outer, inner].
    entering
        Tokens, float32 of shape [rows, inner].
    out
        Result, float32 of shape [outer, rows].
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
    """Matrix products, and buffers that are reused by name so that large results do not take fresh pages each time.

    Parameters
    ----------
    threads
        Number of threads, which must be that of BLAS.
    """

    def __init__(self, threads: int = 1) -> None:
        self.threads = threads
        self._pool = ThreadPoolExecutor(threads - 1) if threads > 1 else None
        self._buffers: dict[str, Array] = {}

    def buffer(self, name: str, *shape: int) -> Array:
        """Return an array of a shape and of undefined content; a later request of the same name reuses its memory."""
        size = math.prod(shape)
        memory = self._buffers.get(name)
        if memory is None or memory.size < size:
            memory = self._buffers[name] = np.empty(size, np.float32)
        return memory[:size].reshape(shape)

    def product(self, entering: Array, matrix: Array, into: str) -> Array:
        """Return entering @ matrix.T in the buffer `into`: [rows, inner] and [outer, inner] give [rows, outer]."""
        rows, outer = len(entering), len(matrix)
        out = self.buffer(into, rows, outer)
        if rows > MOST_ROWS:
            np.matmul(entering, matrix.T, out=out)
        else:
            np.copyto(out, self.product_by_columns(matrix, entering.T, f"{into}, by columns").T)
        return out

    def product_by_columns(self, matrix: Array, entering: Array, into: str) -> Array:
        """Return matrix @ entering in the buffer `into`: [outer, inner] and [inner, rows] give [outer, rows].

        BLAS first copies large weights into its own order. That takes as long as the product of a few rows, and a tenth
        of the product of some hundred. It multiplies panels below its limit without this copy.
        """
        inner, rows = entering.shape
        outer = len(matrix)
        out = self.buffer(into, outer, rows)
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
        """Return whether many rows are divided into blocks, which the core's own cache must hold for every panel.

        On two threads blocks were 0.7 to 0.8 times as fast as BLAS alone, presumably because the threads of BLAS wait
        for work without sleeping.
        """
        fits = len(by_rows) % BLOCK == 0 and by_rows.nbytes <= MOST_BLOCK_BYTES
        return fits and by_rows.flags.c_contiguous and self.threads == 1

    def _split(self, work: Callable[[slice], object], length: int, weight_bytes: int) -> None:
        """Do a product's work on slices of its weights, one a thread if they are large enough."""
        parts = min(self.threads, length) if weight_bytes >= LEAST_BYTES else 1
        bounds = [length * part // parts for part in range(parts + 1)]
        first, *others = (slice(*ends) for ends in pairwise(bounds))
        futures = [self._pool.submit(work, part) for part in others] if self._pool is not None else []
        work(first)
        for future in futures:
            future.result()

    def close(self) -> None:
        """End the threads and release the buffers; may be called twice."""
        self._buffers.clear()
        if self._pool is not None:
            self._pool.shutdown()
            self._pool = None
