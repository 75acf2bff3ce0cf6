"""The faults of NVML, each with its reason and its cure.

References
----------
NVML API reference: nvmlReturn_t, nvmlGpuVirtualizationMode_t.
"""

import re
from collections.abc import Callable
from typing import Any

from bench.meters.errors import MeterError

WALL = "meter the machine at the wall: --meter shelly:HOST"
INSTALL = f"install the NVIDIA driver, or {WALL}"
# The binding decodes names itself, and lacks the functions that came after it.
NO_ANSWER = (UnicodeDecodeError, AttributeError)

# NVML's return code -> reason, cure
_CODES = {
    2: ("the driver has no GPU of this index", "run `perwatt list meters` for those it has"),
    4: (
        "no permission to ask the NVIDIA driver",
        "run as a user who may open /dev/nvidia* (often the group video); in a container, --gpus all",
    ),
    6: ("the driver has no GPU of this UUID", "run `nvidia-smi -L` for those it has"),
    9: ("the NVIDIA driver is not loaded", f"load it (sudo modprobe nvidia), or {WALL}"),
    12: ("no NVIDIA driver on this machine", INSTALL),
    15: ("the GPU is lost: it fell off its bus", "reset it or reboot; check its power and its seat"),
    16: ("the GPU must be reset", "reset it (nvidia-smi --gpu-reset) or reboot"),
    17: ("the operating system blocks the GPU", "in a container, pass it through (--gpus all)"),
    18: (
        "the NVIDIA driver and its library have different versions",
        "reboot, because an update replaced one of them, or reload the driver's kernel modules",
    ),
}
_VIRTUAL_GPU = 2  # NVML_GPU_VIRTUALIZATION_MODE_VGPU
_VIRTUAL_NAME = re.compile(r"GRID .*|.*-\d+[ABCQ]")
_SUPERCHIP_NAME = re.compile(r"\bG[HB]\d00\b")
_JETSON_NAME = re.compile(r".*(nvgpu|tegra|jetson|xavier|orin|thor)\b.*", re.IGNORECASE)


class NvmlFaultError(MeterError):
    """NVML cannot meter a GPU; the reason and the cure are kept apart for lists."""

    def __init__(self, name: str, reason: str, cure: str) -> None:
        super().__init__(f"meter {name}: {reason}; {cure}")
        self.reason = reason
        self.cure = cure


def fault(name: str, error: Exception) -> NvmlFaultError:
    """Return the error of a meter for an error of NVML or its binding."""
    if isinstance(error, ImportError):
        return NvmlFaultError(name, "the package nvidia-ml-py is missing", f"install nvidia-ml-py, or {WALL}")
    text = " ".join(str(error).split()) or type(error).__name__
    known = _CODES.get(getattr(error, "value", 0))
    if known is None:
        return NvmlFaultError(name, f"NVML says: {text}", f"check that `nvidia-smi` works, or {WALL}")
    reason, cure = known
    return NvmlFaultError(name, f"{reason} ({text})", cure)


def text_of(ask: Callable[[Any], str | bytes], handle: Any, errors: tuple[type[Exception], ...]) -> str | None:
    """Return a name of a GPU, or None if one of the errors says that the driver does not give it as text."""
    try:
        value = ask(handle)
        return value.decode() if isinstance(value, bytes) else value
    except errors:
        return None


def no_power(name: str, nvml: Any, handle: Any, target: str) -> NvmlFaultError:
    """Return the error for a GPU without energy and power in NVML, by the error or the kind of the GPU."""
    try:
        nvml.nvmlDeviceGetPowerUsage(handle)
    except Exception as error:  # noqa: BLE001 (NVMLError is a class of the optional package)
        if getattr(error, "value", 0) in _CODES:
            return fault(name, error)
    model = text_of(nvml.nvmlDeviceGetName, handle, (nvml.NVMLError, *NO_ANSWER))
    if model is None:
        reason = "the driver reports no power for this GPU, and its name is not text"
        return NvmlFaultError(name, reason, f"reboot or reinstall the driver; or {WALL}")
    is_slice = target.startswith("MIG-") or _answer(nvml, "nvmlDeviceIsMigDeviceHandle", handle)
    if is_slice or shares_its_board(nvml, handle):
        reason = "the driver reports no power for this GPU: it is a MIG slice, and only the whole board is measured"
        return NvmlFaultError(name, reason, "name the whole GPU (nvml:INDEX) and leave its other slices idle")
    if _JETSON_NAME.fullmatch(model):
        reason = f"the driver reports no power for this GPU ({model}): on Jetson the module's own sensor has it"
        return NvmlFaultError(name, reason, f"use --meter hwmon:ina3221 (see `perwatt list meters`), or {WALL}")
    if _answer(nvml, "nvmlDeviceGetVirtualizationMode", handle) == _VIRTUAL_GPU or _VIRTUAL_NAME.fullmatch(model):
        reason = f"the driver reports no power for this GPU: it is a vGPU ({model}), and only its host measures it"
        return NvmlFaultError(name, reason, f"measure on the host, or {WALL}")
    reason = f"the driver reports no power for this GPU ({model}; vGPU, MIG slice and Jetson have none)"
    return NvmlFaultError(name, reason, WALL)


def no_movement(name: str) -> NvmlFaultError:
    """Return the error of a GPU that claims to draw nothing."""
    reason = "the driver reports 0 J and 0 W for this GPU, which no powered GPU draws"
    return NvmlFaultError(name, reason, f"reboot or update the driver; or {WALL}")


def no_gpu() -> NvmlFaultError:
    """Return the error of a driver that lists no GPU."""
    return NvmlFaultError("nvml", "the driver sees no GPU", f"in a container, pass it through (--gpus all); or {WALL}")


def is_superchip(nvml: Any, index: int) -> bool:
    """Return whether a GPU shares its module with a Grace CPU, by its name (GH200, GB200, GB300)."""
    model = text_of(nvml.nvmlDeviceGetName, nvml.nvmlDeviceGetHandleByIndex(index), (nvml.NVMLError, *NO_ANSWER))
    return bool(model and _SUPERCHIP_NAME.search(model))


def shares_its_board(nvml: Any, handle: Any) -> bool:
    """Return whether MIG divides the GPU, so that its power is that of all slices."""
    mode = _answer(nvml, "nvmlDeviceGetMigMode", handle)
    return bool(mode and mode[0])


def _answer(nvml: Any, function: str, handle: Any) -> Any:
    try:
        return getattr(nvml, function)(handle)
    except (nvml.NVMLError, *NO_ANSWER):
        return None
