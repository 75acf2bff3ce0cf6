"""The products of a replay on a GPU: for each matrix and number of rows the fastest of cuBLASLt's algorithms."""

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
"""Time given to each algorithm after its first product."""
ROWS_STEP = 16
"""Rows are padded to a multiple of this, for fp8's alignment."""


def padded(rows: int) -> int:
    """Return the rows that a product is made with."""
    return -(-rows // ROWS_STEP) * ROWS_STEP


class LayerProducts:
    """D = A Bᵀ for the matrices of a model by name, `head` included; close it.

    Raises
    ------
    GpuError
        nvmath-python or cuBLAS is missing, or the GPU refuses.
    """

    def __init__(self, cupy: Any, shape: ModelShape, formats: ReplayFormats) -> None:
        self._cupy, self._formats = cupy, formats
        self._widths = {one.name: (one.outer, one.inner) for one in matrices(shape)}
        self._widths["head"] = (shape.vocabulary, shape.hidden)
        self._workspace = cupy.empty(cublaslt.WORKSPACE_BYTES, dtype=cupy.uint8)
        self._chosen: dict[tuple[str, int], tuple[Any, Any]] = {}
        self.facts: dict[str, object] = {}

    def launch(self, name: str, rows: int, entering: Any, weights: Sequence[Any], out: Any) -> None:
        """Queue a product of `rows` with the first of the weights of this name, on the current stream.

        The first of its kind is chosen by timing over all of them, so that no cache holds what it reads.
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
        best, found, offered = math.inf, None, product.algorithms(ALGORITHMS)
        for algorithm in offered:
            try:
                taken = self._time(product, algorithm, entering, weights, out)
            except GpuError:  # offered, and refused when it is to run
                continue
            if taken < best:
                best, found = taken, algorithm
        if found is None:
            product.close()
            raise GpuError("failed", f"cuBLASLt has no algorithm for {name} in {form}: {rows} x {outer} x {inner}")
        self.facts[f"{name}, {rows} rows"] = f"{found.rank} {found.name}"
        return product, found

    def _time(self, product: Any, algorithm: Any, entering: Any, weights: Sequence[Any], out: Any) -> float:
        """Return the milliseconds of one product over the weights in turn, after a first that does not count."""
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
    """Return how long the current stream takes for what `queue` puts on it [ms], by its own events."""
    stream = cupy.cuda.get_current_stream()
    start, end = cupy.cuda.Event(), cupy.cuda.Event()
    start.record(stream)
    queue()
    end.record(stream)
    end.synchronize()
    return float(cupy.cuda.get_elapsed_time(start, end))
