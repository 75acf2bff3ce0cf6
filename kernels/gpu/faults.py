"""The faults of GPUs with their cures, and the error that names both on one line."""

import contextlib
from collections.abc import Iterator

OLDEST_DRIVER = 580
_EXTRA = "pip install -c constraints.txt -e '.[gpu]'"

# Cure of each fault, by its code.
CURES = {
    "no_nvml": "install nvidia-ml-py",
    "no_driver": f"install the NVIDIA driver, {OLDEST_DRIVER} or later; in a container, --gpus all",
    "driver_asleep": "load the kernel module (modprobe nvidia), or reboot after a driver update",
    "driver_mismatch": "reboot: an update replaced the driver or its library, and the versions differ",
    "no_permission": "run as a user who may open /dev/nvidia* (often the group video); in a container, --gpus all",
    "no_gpu": "check that the GPU is seated and powered and, in a container, passed through (--gpus all)",
    "no_such_device": "choose a GPU that the driver lists; CUDA_VISIBLE_DEVICES can hide some",
    "cuda_major": f"update the driver to {OLDEST_DRIVER} or later, or install the CuPy of the driver's CUDA major",
    "no_cupy": f"install perwatt's extra `gpu`: {_EXTRA}",
    "broken_cupy": f"keep one CuPy only and reinstall it: pip uninstall -y cupy-cuda11x cupy-cuda12x; {_EXTRA}",
    "no_nvmath": f"install perwatt's extra `gpu`: {_EXTRA}",
    "taken": "wait until that process ends, or use another GPU: --device gpu:INDEX",
    "exclusive": "another process holds the GPU in exclusive mode: end it, or use another GPU: --device gpu:INDEX",
    "out_of_memory": "end other programs on this GPU (nvidia-smi lists them), or choose a smaller size",
    "failed": "check that `nvidia-smi` works on this machine",
}  # fmt: skip


class GpuError(RuntimeError):
    """A GPU cannot be used; `str()` is one line: the fault, then the cure."""

    def __init__(self, code: str, message: str) -> None:
        self.code = code
        self.message = " ".join(message.split())
        self.cure = CURES[code]
        super().__init__(f"{self.message}; {self.cure}")


@contextlib.contextmanager
def explained(index: int = 0) -> Iterator[None]:
    """Turn CUDA errors within the context into a GpuError of one line with its cure; other errors pass."""
    try:
        yield
    except GpuError:
        raise
    except MemoryError as error:
        raise GpuError("out_of_memory", f"gpu:{index} is out of memory: {_first_line(error)}") from None
    except RuntimeError as error:
        text = f"{type(error).__name__}: {_first_line(error)}"
        for mark, code in _MARKS:
            if mark in text:
                raise GpuError(code, f"gpu:{index}: {_first_line(error)}") from None
        if "CUDA" in text or "cuda" in text or "CUBLAS" in text:
            raise GpuError("failed", f"gpu:{index}: {text}") from None
        raise


# Names of errors as CUDA's libraries print them, and the codes of their cures.
_MARKS = (
    ("cudaErrorMemoryAllocation", "out_of_memory"),
    ("CUBLAS_STATUS_ALLOC_FAILED", "out_of_memory"),
    ("cudaErrorDevicesUnavailable", "exclusive"),
    ("cudaErrorInsufficientDriver", "cuda_major"),
    ("cudaErrorUnsupportedPtxVersion", "cuda_major"),
    ("CUDA_ERROR_UNSUPPORTED_PTX_VERSION", "cuda_major"),
    ("cudaErrorNoDevice", "no_gpu"),
    ("cudaErrorInvalidDevice", "no_such_device"),
)


def _first_line(error: BaseException) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0]
