"""The diagnosis of what a GPU run needs: driver, GPUs, CuPy, cuBLASLt and compilers; each fault with its cure."""

from collections.abc import Callable
from dataclasses import dataclass
from importlib import metadata
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from kernels.gpu.device import GpuState

WANTED_FREE_BYTES = 16 << 30  # [byte] with less free device memory, runs use smaller buffers


@dataclass(frozen=True, slots=True)
class Finding:
    """One line of the diagnosis."""

    part: str
    good: bool
    detail: str
    cure: str = ""
    code: str = ""  # empty if nothing is wrong


def gpu_findings() -> list[Finding]:
    """Return the state of everything that a GPU run needs, in the order of need."""
    return [*_gpus(), *_cupy(), _nvmath(), *_optional()]


def _gpus() -> list[Finding]:
    from kernels.gpu.device import CURES, GpuError, check_usable, gpus

    try:
        states = gpus()
    except GpuError as error:
        return [Finding("NVIDIA driver", good=False, detail=error.message, cure=error.cure, code=error.code)]
    first = states[0]
    version = ".".join(map(str, first.cuda_driver)) if first.cuda_driver[0] else "version unknown"
    driver = Finding("NVIDIA driver", good=True, detail=f"{first.driver}, CUDA {version}")

    def finding(state: "GpuState") -> Finding:
        part, detail = f"gpu:{state.index}", _described(state)
        try:
            check_usable(state)
        except GpuError as error:
            if error.code in {"taken", "exclusive"}:
                return Finding(part, good=False, detail=error.message, cure=error.cure, code=error.code)
        if state.mig:
            cure = "use the whole GPU: nvidia-smi -mig 0 as its administrator"
            return Finding(
                part, good=False, detail=f"{detail}; MIG is on, which divides the GPU", cure=cure, code="mig"
            )
        if state.free_bytes is not None and state.free_bytes < WANTED_FREE_BYTES < (state.memory_bytes or 0):
            return Finding(
                part,
                good=True,
                detail=f"{detail}; little memory is free",
                cure=CURES["out_of_memory"],
                code="low_memory",
            )
        return Finding(part, good=True, detail=detail)

    return [driver, *(finding(state) for state in states)]


def _described(state: "GpuState") -> str:
    parts = [state.name, state.architecture]
    if state.memory_bytes and state.free_bytes is not None:
        parts.append(f"{state.free_bytes / 2**30:.0f} of {state.memory_bytes / 2**30:.0f} GiB free")
    if state.power_limit_w:
        parts.append(f"limit {state.power_limit_w:.0f} W")
    if state.ecc is not None:
        parts.append(f"ECC {'on' if state.ecc else 'off'}")
    return ", ".join(part for part in parts if part)


def _cupy() -> list[Finding]:
    from kernels.gpu.device import CURES, GpuError, check_cuda_major, cupy_packages, gpus

    installed = cupy_packages()
    if not installed:
        return [Finding("CuPy", good=False, detail="not installed", cure=CURES["no_cupy"], code="no_cupy")]
    versions = ", ".join(f"{name} {_version(name)}" for name in installed)
    if len(installed) > 1:
        detail = f"{versions}: more than one"
        return [Finding("CuPy", good=False, detail=detail, cure=CURES["broken_cupy"], code="broken_cupy")]
    try:
        check_cuda_major(gpus()[0])
    except GpuError as error:
        if error.code == "cuda_major":
            return [Finding("CuPy", good=False, detail=error.message, cure=error.cure, code=error.code)]
    try:
        import cupy  # noqa: F401 (whether it loads)
    except ImportError as error:
        detail = f"{versions}: does not import: {error}"
        return [Finding("CuPy", good=False, detail=detail, cure=CURES["broken_cupy"], code="broken_cupy")]
    return [Finding("CuPy", good=True, detail=versions)]


def _nvmath() -> Finding:
    from kernels.gpu.device import CURES

    part = "cuBLASLt (nvmath-python)"
    if find_spec("nvmath") is None:
        detail = "nvmath-python is not installed: no products through cuBLASLt"
        return Finding(part, good=False, detail=detail, cure=CURES["no_nvmath"], code="no_nvmath")
    return Finding(part, good=True, detail=_version("nvmath-python"))


def _optional() -> list[Finding]:
    """Return the tools that compile and disassemble without a GPU, and the compiler of the readable kernels."""
    from kernels.gpu.toolchain import ToolMissingError, nvrtc_version, tool_path

    extra = "install perwatt's extra `test`"

    def check(part: str, ask: Callable[[], str]) -> Finding:
        try:
            return Finding(part, good=True, detail=ask())
        except (ToolMissingError, ImportError) as error:
            return Finding(part, good=False, detail=f"{error} (only tests need it)", cure=extra, code="no_tool")

    def nvrtc() -> str:
        if nvrtc_version() == "unknown" or find_spec("cuda.core") is None:
            raise ToolMissingError("cuda-core or NVRTC is not installed")
        return f"NVRTC {nvrtc_version()}, cuda-core {_version('cuda-core')}"

    return [
        check("compiler without a driver", nvrtc),
        check("disassembler", lambda: f"{Path(tool_path('nvdisasm')).name} found"),
        Finding(
            "readable kernels", good=True, detail=f"numba {_version('numba')}, numba-cuda {_version('numba-cuda')}"
        ),
    ]


def _version(name: str) -> str:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return "absent"
