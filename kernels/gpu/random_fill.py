"""Device arrays filled with random codes by a CUDA kernel, without a library of random numbers."""

from typing import Any

from kernels.gpu.cuda_source import compile_module, read_source


def fill_module(cupy: Any) -> Any:
    """Return the CuPy module that `fill_random` takes."""
    return compile_module(cupy, read_source("random_fill.cu"))


def fill_random(cupy: Any, module: Any, array: Any, table: Any, seed: int) -> None:
    """Fill a device array with codes drawn from a table, by a hash of each element's index and the seed.

    Parameters
    ----------
    cupy
        The module CuPy with the GPU current.
    module
        The result of `fill_module`.
    array
        Device array of codes of 1, 2 or 4 bytes, any shape.
    table
        Device array of codes of the same type, shape [2^16].
    seed
        Offset of the indices: arrays whose ranges of indices do not overlap get different codes.
    """
    kernel = module.get_function(f"fill_{8 * array.dtype.itemsize}")
    kernel((1024,), (256,), (array, table, cupy.uint64(array.size), cupy.uint64(seed)))
