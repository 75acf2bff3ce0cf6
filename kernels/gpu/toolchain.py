"""The CUDA tools that need no GPU: the NVRTC compiler's version and the paths of NVIDIA's disassemblers."""

import shutil
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path


class ToolMissingError(RuntimeError):
    """A compiler or disassembler is not installed; `str()` names it and the cure."""


def nvrtc_version() -> str:
    """Return the version of the installed NVRTC package, or `unknown`."""
    try:
        return distribution("nvidia-cuda-nvrtc").version
    except PackageNotFoundError:
        return "unknown"


def tool_path(name: str) -> str:
    """Return the path of `nvdisasm` or `cuobjdump`, from the PATH or else from its Python package.

    Raises
    ------
    ToolMissingError
        The tool is neither on the PATH nor in a package.
    """
    if on_path := shutil.which(name):
        return on_path
    try:
        package = distribution(f"nvidia-cuda-{name}")
        files = [Path(str(package.locate_file(file))) for file in package.files or ()]
    except PackageNotFoundError:
        files = []
    for file in files:
        if file.name == name and file.is_file():
            return str(file)
    raise ToolMissingError(f"{name} is not on the PATH; install nvidia-cuda-{name} (perwatt's extra `test` has it)")
