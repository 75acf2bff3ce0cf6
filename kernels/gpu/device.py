"""The state of NVIDIA GPUs from NVML, which needs no CUDA, and the way to open one with CuPy."""

import contextlib
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib import metadata
from typing import Any

from kernels.errors import KernelInputError
from kernels.gpu.faults import CURES, GpuError, explained

__all__ = [
    "CURES", "GpuError", "GpuProcess", "GpuState", "check_cuda_major", "check_usable", "cupy_packages", "explained",
    "gpus", "inspect", "open_cupy", "other_processes", "parse_device",
]  # fmt: skip

# GPUs that this process has opened: in a container the driver lists this process by the host's process id.
_OPENED: set[int] = set()


@dataclass(frozen=True)
class GpuProcess:
    """A process that computes on a GPU."""

    pid: int  # process id
    name: str  # empty if unknown
    memory_bytes: int | None  # [byte]


@dataclass(frozen=True)
class GpuState:
    """One GPU as NVML describes it; a value that NVML does not report is None."""

    index: int  # NVML's, as in --device gpu:INDEX
    uuid: str
    name: str
    pci_bus: str
    capability: tuple[int, int] | None  # compute capability, (9, 0) for sm_90
    memory_bytes: int | None  # [byte] of the device
    free_bytes: int | None  # [byte]
    max_sm_clock_hz: float | None  # [Hz] highest clock of the multiprocessors
    power_limit_w: float | None  # [W] limit in force
    ecc: bool | None
    mig: bool | None
    persistence: bool | None
    driver: str
    cuda_driver: tuple[int, int]  # CUDA version that the driver supports, (13, 0)
    processes: tuple[GpuProcess, ...]

    @property
    def architecture(self) -> str:
        """Name such as `sm_90`, or empty if the capability is unknown."""
        return f"sm_{self.capability[0]}{self.capability[1]}" if self.capability else ""


def parse_device(name: str) -> int:
    """Return the index of `gpu:<index>`.

    Raises
    ------
    KernelInputError
        The name has another form.
    """
    kind, _, index = name.partition(":")
    if kind != "gpu" or not (index.isascii() and index.isdigit()):
        raise KernelInputError(f"device: expected gpu:<index>, as in gpu:0, got {name!r}")
    return int(index)


def gpus() -> list[GpuState]:
    """Return every GPU that NVML lists.

    Raises
    ------
    GpuError
        There is no driver, it does not answer, or it lists no GPU.
    """
    with _nvml() as nvml:
        count = int(nvml.nvmlDeviceGetCount())
        if count == 0:
            raise GpuError("no_gpu", "the NVIDIA driver sees no GPU")
        return [_state(nvml, index) for index in range(count)]


def inspect(index: int) -> GpuState:
    """Return the state of one GPU.

    Raises
    ------
    GpuError
        There is no driver, or no GPU of this index.
    """
    with _nvml() as nvml:
        count = int(nvml.nvmlDeviceGetCount())
        if not 0 <= index < count:
            listed = "none" if count == 0 else "gpu:0" if count == 1 else f"gpu:0 to gpu:{count - 1}"
            raise GpuError("no_such_device", f"gpu:{index} is not there; the driver lists {listed}")
        return _state(nvml, index)


def check_usable(state: GpuState) -> None:
    """Check that a run on this GPU can start.

    Raises
    ------
    GpuError
        CuPy is missing or of another CUDA major than the driver, or another process computes on the GPU.
    """
    check_cuda_major(state)
    if state.processes:
        users = ", ".join(_process_text(process) for process in state.processes)
        raise GpuError("taken", f"gpu:{state.index} ({state.name}) is taken by {users}")


def check_cuda_major(state: GpuState) -> None:
    """Check that the driver supports the CUDA major that CuPy was built for.

    Raises
    ------
    GpuError
        CuPy is not installed, or is for a later major than the driver.
    """
    installed = cupy_packages()
    if not installed:
        raise GpuError("no_cupy", "CuPy is not installed")
    major = max(_package_major(name) for name in installed)
    if state.cuda_driver[0] and major > state.cuda_driver[0]:
        version = ".".join(map(str, state.cuda_driver))
        raise GpuError(
            "cuda_major", f"the driver {state.driver} supports CUDA {version}, {installed[-1]} needs {major}"
        )


def cupy_packages() -> list[str]:
    """Return the installed CuPy distributions; more than one is a fault."""
    names = ("cupy-cuda11x", "cupy-cuda12x", "cupy-cuda13x", "cupy-cuda14x", "cupy")
    installed = []
    for name in names:
        with contextlib.suppress(metadata.PackageNotFoundError):
            metadata.version(name)
            installed.append(name)
    return installed


def open_cupy(index: int) -> Any:
    """Return the module CuPy after making the GPU of an NVML index current.

    Raises
    ------
    GpuError
        CuPy or the driver is missing or of another CUDA major, or the GPU cannot be opened.
    """
    try:
        import cupy
    except ImportError as error:
        if cupy_packages():
            raise GpuError("broken_cupy", f"CuPy does not import: {error}") from None
        raise GpuError("no_cupy", "CuPy is not installed") from None
    with explained(index):
        driver, runtime = cupy.cuda.runtime.driverGetVersion(), cupy.cuda.runtime.runtimeGetVersion()
        if driver == 0:
            raise GpuError("no_driver", "there is no NVIDIA driver here")
        if driver // 1000 < runtime // 1000:
            raise GpuError(
                "cuda_major", f"the driver supports CUDA {driver // 1000}, CuPy was built for {runtime // 1000}"
            )
        cupy.cuda.Device(_cuda_index(cupy, index)).use()
        cupy.cuda.runtime.free(0)  # creates the context now and not in a timed call
        _OPENED.add(index)
    return cupy


def _cuda_index(cupy: Any, index: int) -> int:
    """Return CUDA's index of a GPU by NVML's: CUDA sorts by speed and CUDA_VISIBLE_DEVICES renumbers."""
    bus = inspect(index).pci_bus.lower()[-12:]
    for candidate in range(cupy.cuda.runtime.getDeviceCount()):
        if cupy.cuda.runtime.deviceGetPCIBusId(candidate).lower()[-12:] == bus:
            return candidate
    visible = os.environ.get("CUDA_VISIBLE_DEVICES", "not set")
    raise GpuError("no_such_device", f"gpu:{index} is hidden from CUDA (CUDA_VISIBLE_DEVICES: {visible})")


@contextlib.contextmanager
def _nvml() -> Iterator[Any]:
    try:
        import pynvml
    except ImportError:
        raise GpuError("no_nvml", "the package nvidia-ml-py is missing") from None
    try:
        pynvml.nvmlInit()
    except pynvml.NVMLError as error:
        names = {
            getattr(pynvml, "NVML_ERROR_LIBRARY_NOT_FOUND", 12): "no_driver",
            getattr(pynvml, "NVML_ERROR_DRIVER_NOT_LOADED", 9): "driver_asleep",
            getattr(pynvml, "NVML_ERROR_LIB_RM_VERSION_MISMATCH", 18): "driver_mismatch",
            getattr(pynvml, "NVML_ERROR_NO_PERMISSION", 4): "no_permission",
        }
        code = names.get(getattr(error, "value", 0), "failed")
        message = "there is no NVIDIA driver here" if code == "no_driver" else f"the NVIDIA driver says: {error}"
        raise GpuError(code, message) from None
    try:
        yield pynvml
    except pynvml.NVMLError as error:
        raise GpuError("failed", f"the NVIDIA driver says: {error}") from None
    finally:
        with contextlib.suppress(pynvml.NVMLError):
            pynvml.nvmlShutdown()


def _state(nvml: Any, index: int) -> GpuState:
    handle = nvml.nvmlDeviceGetHandleByIndex(index)

    def answer(function: str, *arguments: object) -> Any:
        try:
            return getattr(nvml, function)(*arguments)
        except (nvml.NVMLError, AttributeError, UnicodeDecodeError):  # names come from the card's own memory
            return None

    def ask(function: str, *arguments: object) -> Any:
        return answer(function, handle, *arguments)

    def on(function: str) -> bool | None:
        answer = ask(function)
        return None if answer is None else bool(answer[0] if isinstance(answer, list | tuple) else answer)

    memory, pci = ask("nvmlDeviceGetMemoryInfo"), ask("nvmlDeviceGetPciInfo")
    clock_mhz, limit_mw = ask("nvmlDeviceGetMaxClockInfo", 1), ask("nvmlDeviceGetEnforcedPowerLimit")
    capability = ask("nvmlDeviceGetCudaComputeCapability")
    version = int(answer("nvmlSystemGetCudaDriverVersion") or 0)
    return GpuState(
        index=index,
        uuid=_text(ask("nvmlDeviceGetUUID") or ""),
        name=_text(ask("nvmlDeviceGetName") or "unknown GPU"),
        pci_bus=_text(pci.busId) if pci is not None else "",
        capability=tuple(capability) if capability else None,
        memory_bytes=memory.total if memory is not None else None,
        free_bytes=memory.free if memory is not None else None,
        max_sm_clock_hz=clock_mhz * 1e6 if clock_mhz else None,
        power_limit_w=limit_mw * 1e-3 if limit_mw else None,
        ecc=on("nvmlDeviceGetEccMode"),
        mig=on("nvmlDeviceGetMigMode"),
        persistence=on("nvmlDeviceGetPersistenceMode"),
        driver=_text(answer("nvmlSystemGetDriverVersion") or "unknown driver"),
        cuda_driver=(version // 1000, version % 1000 // 10),
        processes=tuple(other_processes(ask, index)),
    )


def other_processes(ask: Callable[..., Any], index: int) -> Iterator[GpuProcess]:
    """Yield the other processes that compute on a GPU.

    In a container the driver lists this process by the host's process id. After this process has opened the GPU, an id
    that does not exist in the container is therefore taken to be its own.

    Parameters
    ----------
    ask
        Function that calls an NVML function by name for this GPU and returns None if that fails.
    index
        NVML's index of the GPU.
    """
    import psutil

    for process in ask("nvmlDeviceGetComputeRunningProcesses") or []:
        if process.pid == os.getpid() or (index in _OPENED and not psutil.pid_exists(process.pid)):
            continue
        try:
            name = psutil.Process(process.pid).name()
        except psutil.Error:
            name = ""
        yield GpuProcess(process.pid, name, getattr(process, "usedGpuMemory", None))


def _process_text(process: GpuProcess) -> str:
    name = f" ({process.name})" if process.name else ""
    memory = f", {process.memory_bytes / 2**30:.1f} GiB" if process.memory_bytes else ""
    return f"process {process.pid}{name}{memory}"


def _package_major(name: str) -> int:
    digits = "".join(character for character in name if character.isdigit())
    return int(digits) if digits else 0


def _text(value: str | bytes) -> str:
    return value.decode(errors="replace") if isinstance(value, bytes) else value
