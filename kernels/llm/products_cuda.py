"""The products of a replay on a GPU, each by the fastest of cuBLASLt's algorithms for its matrix and rows."""

import math
from collections.abc import Callable, Sequence
from typing import Any

from kernels.gpu.device import GpuError
from kernels.llm.counts import matrices
from kernels.llm.shapes import ModelShape
from kernels.llm.source_cuda import ReplayFormats
from kernels.llm.weights_cuda import weight_scale
from kernels.matmul import cublaslt
from kernels.matmul.formats import FORMATS

ALGORITHMS = 16
ALGORITHM_MS = 4.0
"""Time for which each algorithm is measured after its first product [ms]."""
ROWS_STEP = 16
"""Rows are padded to a multiple of this, for fp8's alignment."""


def padded(rows: int) -> int:
    """Return the rows of a product after padding."""
    return -(-rows // ROWS_STEP) * ROWS_STEP


class LayerProducts:
    """D = A Bᵀ for the matrices of a model by name, including `head`; close it after use.

    Raises
    ------
    GpuError
        nvmath-python or cuBLAS is missing, or the GPU refuses.
    """

    def __init__(self, cupy: Any, shape: ModelShape, formats: ReplayFormats) -> None:
        self._cupy, self._formats = cupy, formats
        self._widths = {matrix.name: (matrix.outer, matrix.inner) for matrix in matrices(shape)}
        self._widths["head"] = (shape.vocabulary, shape.hidden)
        self._workspace = cupy.empty(cublaslt.WORKSPACE_BYTES, dtype=cupy.uint8)
        self._chosen: dict[tuple[str, int], tuple[Any, Any]] = {}
        self.facts: dict[str, object] = {}

    def launch(self, name: str, rows: int, entering: Any, weights: Sequence[Any], out: Any) -> None:
        """Queue a product with the first of the weights on the current stream.

        The first product of a matrix and a number of rows times all algorithms over all weights, so that no cache holds
        the weights that it reads.

        Parameters
        ----------
        name
            Name of the matrix.
        rows
            Number of tokens.
        entering
            Device array of the tokens' codes, shape [rows, inner].
        weights
            Device arrays of the matrix in all layers, this layer's first, shape [outer, inner] each.
        out
            Device array that receives the result, shape [rows, outer].
        """
        key = (name, padded(rows))
        if key not in self._chosen:
            self._chosen[key] = self._choose(*key, entering, weights, out)
        product, algorithm = self._chosen[key]
        stream = self._cupy.cuda.get_current_stream().ptr
        product.launch(entering.data.ptr, weights[0].data.ptr, out.data.ptr, algorithm, stream)

    def close(self) -> None:
        """Release descriptors and workspace; may be called twice."""
        for product, _ in self._chosen.values():
            product.close()
        self._chosen = {}
        self._workspace = None

    def _choose(self, name: str, rows: int, entering: Any, weights: Sequence[Any], out: Any) -> tuple[Any, Any]:
        formats, (outer, inner) = self._formats, self._widths[name]
        form = formats.stream if name == "head" else formats.entering
        scales = (1.0 / formats.entering_scale, weight_scale(form, inner)) if form == "fp8" else None
        product = cublaslt.LtProduct(
            self._cupy, FORMATS[form], rows, outer, inner, scales=scales, workspace=self._workspace
        )
        best_ms, best, offered = math.inf, None, product.algorithms(ALGORITHMS)
        for algorithm in offered:
            try:
                elapsed_ms = self._time(product, algorithm, entering, weights, out)
            except GpuError:  # cuBLASLt offers some algorithms that it then refuses to run
                continue
            if elapsed_ms < best_ms:
                best_ms, best = elapsed_ms, algorithm
        if best is None:
            product.close()
            raise GpuError("failed", f"cuBLASLt has no algorithm for {name} in {form}: {rows} x {outer} x {inner}")
        self.facts[f"{name}, {rows} rows"] = f"{best.rank} {best.name}"
        return product, best

    def _time(self, product: Any, algorithm: Any, entering: Any, weights: Sequence[Any], out: Any) -> float:
        """Return the time of one product over the weights in turn, after a first one [ms]."""
        stream = self._cupy.cuda.get_current_stream().ptr

        def queue(count: int) -> None:
            for i in range(count):
                matrix = weights[i % len(weights)]
                product.launch(entering.data.ptr, matrix.data.ptr, out.data.ptr, algorithm, stream)

        queue(1)
        once = timed_ms(self._cupy, lambda: queue(1))
        count = max(1, min(64, round(ALGORITHM_MS / max(once, 1e-3))))
        return timed_ms(self._cupy, lambda: queue(count)) / count


def timed_ms(cupy: Any, queue: Callable[[], None]) -> float:
    """Return the time that the current stream takes for the work that `queue` puts on it [ms]."""
    stream = cupy.cuda.get_current_stream()
    start, end = cupy.cuda.Event(), cupy.cuda.Event()
    start.record(stream)
    queue()
    end.record(stream)
    end.synchronize()
    return float(cupy.cuda.get_elapsed_time(start, end))
