"""Several texts of the CUDA scan as one, so that the compiler and the disassembler run once a chip."""

import re
from collections.abc import Iterable

import pytest

from bench.workloads.roofline import ScanCount
from kernels.gpu.toolchain import ToolMissingError, tool_path
from kernels.scan_cuda.codegen import ScanText
from kernels.scan_cuda.rolled_text import RolledText
from oracles import cuda_sass


def compiled_units(texts: Iterable[ScanText | RolledText], kernel: str, architecture: str) -> bytes:
    """Return the machine code of every text, each kernel named after its variant; skip the test without the tools."""
    try:
        tool_path("nvdisasm"), tool_path("cuobjdump")
        return cuda_sass.compile_cubin("".join(_unit(text, kernel) for text in texts), architecture)
    except ToolMissingError as error:
        pytest.skip(str(error))


def scan_count(loop: cuda_sass.LoopCount) -> ScanCount:
    """Return the counts of a loop by pipe, from which the bound is computed."""
    pipes, high = loop.pipes, loop.high_multiplies
    return ScanCount(
        pipes["alu"],
        pipes["fma"] - high,
        high,
        loop.total,
        loop.opcodes["LEA"],
        pipes["memory"],
        pipes["uniform"],
        pipes["special"],
    )


def _unit(text: ScanText | RolledText, kernel: str) -> str:
    """Return the text in a namespace of its own, its kernel named after its variant."""
    forgotten = "".join(f"#undef {name}\n" for name in re.findall(r"^#define (\w+)", text.source, re.MULTILINE))
    return (
        f"#define {kernel} {text.variant}\nnamespace space_{text.variant} {{\n{text.source}\n}}\n"
        f"#undef {kernel}\n{forgotten}"
    )
