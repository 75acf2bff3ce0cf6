"""The CUDA C files of `kernels/cuda`, with their placeholders filled in, and their compilation through CuPy."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).parents[1] / "cuda"


def read_source(*files: str, values: Mapping[str, str] | None = None) -> str:
    """Return the text of files of `kernels/cuda`, one after the other.

    Parameters
    ----------
    files
        File names, in the order in which they are joined.
    values
        Text that replaces each placeholder `@NAME@`, by name.
    """
    text = "".join((FOLDER / file).read_text(encoding="ascii") for file in files)
    for name, value in (values or {}).items():
        text = text.replace(f"@{name}@", value)
    return text


def compile_module(cupy: Any, source: str) -> Any:
    """Return a CuPy module of CUDA C; CuPy compiles it when its first kernel is requested."""
    return cupy.RawModule(code=source, options=("-std=c++17",))
