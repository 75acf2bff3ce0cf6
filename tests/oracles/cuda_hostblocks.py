"""CUDA C whose threads work together (barriers, warps, tensor cores), compiled as C++ and run on the CPU.

A block's threads are coroutines that take turns (tests/oracles/host_blocks.hpp): slow, and the same text as on a GPU.
"""

import ctypes
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from kernels.errors import KernelInputError
from oracles.cuda_hostcheck import build_library

SHIM = Path(__file__).parent / "host_blocks.hpp"
MOST_THREADS = 1024


class HostKernels:
    """The kernels of one text by name, compiled for this CPU.

    Raises
    ------
    ToolMissingError
        There is no C++ compiler.
    KernelInputError
        The compiler refuses the text.
    """

    def __init__(self, source: str, names: Sequence[str]) -> None:
        entries = "".join(
            f'extern "C" int run_{name}(const unsigned int *grid, const unsigned int *block, void **given)\n'
            f"{{\n    return host::run(grid, block, [](void **all) {{ host::call({name}, all); }}, given);\n}}\n"
            for name in names
        )
        text = SHIM.read_text(encoding="ascii") + source + entries
        self._library = build_library(text, optimised="-O0")

    def launch(self, name: str, grid: Sequence[int], block: Sequence[int], arguments: Sequence[Any]) -> None:
        """Run a kernel over a grid of up to three lengths; arguments are NumPy arrays and scalars of the exact types.

        Raises
        ------
        KernelInputError
            A block has too many threads, or its threads wait for each other for ever.
        """
        if len(block) != 1 or not 1 <= block[0] <= MOST_THREADS:
            raise KernelInputError(f"{name}: block: expected one length of 1 to {MOST_THREADS}, got {tuple(block)}")
        boxes = [
            np.array([value.ctypes.data if value.size else 0], np.uint64)
            if isinstance(value, np.ndarray)
            else np.array([value])
            for value in arguments
        ]
        pointers = (ctypes.c_void_p * len(boxes))(*(box.ctypes.data for box in boxes))
        sizes = (ctypes.c_uint32 * 3)(*grid, *(1,) * (3 - len(grid)))
        if getattr(self._library, f"run_{name}")(sizes, (ctypes.c_uint32 * 1)(*block), pointers):
            raise KernelInputError(f"{name}: the threads of a block wait for each other")
