"""Baselines of a matrix product on a GPU, to compare cuBLASLt with: CuPy's matmul and a readable kernel."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from bench.workloads.cuda.context import GpuContext

# number formats of each baseline; CuPy's int8 uses no tensor cores, and it has no fp8
FORMATS = {"cupy": ("fp32", "tf32", "fp16", "bf16"), "numba": ("fp32", "fp16")}


@dataclass(frozen=True)
class Operands:
    """Device arrays of one product."""

    a: Any  # codes of A, shape [m, k]
    b: Any  # codes of B, shape [n, k]
    d: Any  # the product, shape [m, n]


Queue = Callable[[Operands], None]


def cupy_queue(gpu: GpuContext, form_name: str) -> Queue:
    """Return a function that queues CuPy's own matmul on the current stream.

    Raises
    ------
    GpuError
        This CuPy cannot multiply the format.
    """
    cp = gpu.cupy
    dtype: Any = cp.float16
    if form_name in {"fp32", "tf32"}:
        from cupy._core import _routines_linalg as kinds  # the only public switch is an environment variable

        dtype = cp.float32
        kind = kinds.COMPUTE_TYPE_TF32 if form_name == "tf32" else kinds.COMPUTE_TYPE_DEFAULT
        cp._core.set_compute_type(cp.dtype(dtype), kind)  # noqa: SLF001 (see above)
    elif form_name == "bf16":
        dtype = _brain_float(cp)

    def queue(operands: Operands) -> None:
        cp.matmul(operands.a.view(dtype), operands.b.view(dtype).T, out=operands.d.view(dtype))

    return queue


def _brain_float(cp: Any) -> Any:
    from kernels.gpu.device import GpuError

    try:
        import ml_dtypes

        dtype = ml_dtypes.bfloat16
        cp.matmul(cp.zeros((16, 16), dtype=dtype), cp.zeros((16, 16), dtype=dtype))
    except (ImportError, TypeError, ValueError, RuntimeError, NotImplementedError) as error:
        raise GpuError("failed", f"this CuPy has no bfloat16 product: {error}") from None
    return dtype


def has_brain_float(cupy: Any) -> bool:
    """Return whether this CuPy can multiply bfloat16."""
    from kernels.gpu.device import GpuError

    try:
        _brain_float(cupy)
    except GpuError:
        return False
    return True


def numba_queue(gpu: GpuContext, form_name: str) -> Queue:
    """Return a function that queues the readable tiled kernel on the GPU's stream."""
    from numba import cuda

    from kernels.matmul.readable import launch

    dtype = gpu.cupy.float32 if form_name == "fp32" else gpu.cupy.float16
    stream = cuda.external_stream(gpu.stream.ptr)

    def queue(operands: Operands) -> None:
        launch(form_name, operands.a.view(dtype), operands.b.view(dtype), operands.d.view(dtype), stream)

    return queue
