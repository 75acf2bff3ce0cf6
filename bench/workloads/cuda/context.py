"""The context of a GPU workload: CuPy on one device, the device's sizes and profile, and a stream."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

from bench.workloads.protocol import WorkloadOptions
from hardware_profiles.errors import InputError

if TYPE_CHECKING:
    from bench.workloads.roofline import Roofline
    from kernels.gpu.device import GpuState


BATCH_S = 0.15  # [s] length of one timed call; the gap of about 50 µs between two calls is then 0.03 %
WARM_S = 0.25  # [s] load before a comparison, in which an idle chip raises its clocks


def device_index(workload: str, options: WorkloadOptions) -> int:
    """Return the index in `gpu:<index>`.

    Raises
    ------
    InputError
        The device has another form.
    """
    from kernels.errors import KernelInputError
    from kernels.gpu.device import parse_device

    try:
        return parse_device(options.device)
    except KernelInputError as error:
        raise InputError(f"workload {workload}: --{error}") from None


@dataclass(frozen=True)
class GpuContext:
    """One open GPU."""

    cupy: Any  # the module, with this device current
    state: "GpuState"
    stream: Any

    @classmethod
    def open(cls, index: int) -> "GpuContext":
        """Open a GPU and a stream on it.

        Raises
        ------
        GpuError
            The GPU cannot be used.
        """
        from kernels.gpu.device import explained, inspect, open_cupy

        cupy = open_cupy(index)
        with explained(index):
            return cls(cupy, inspect(index), cupy.cuda.Stream(non_blocking=True))

    @cached_property
    def attributes(self) -> dict[str, int]:
        """CUDA's attributes of the device, by name."""
        return dict(self.cupy.cuda.Device().attributes)

    @property
    def multiprocessors(self) -> int:
        """The number of SMs."""
        return int(self.attributes["MultiProcessorCount"])

    @property
    def cache_bytes(self) -> int:
        """Size of the last-level cache [byte]."""
        return int(self.attributes.get("L2CacheSize", 0))

    @property
    def shared_bytes(self) -> int:
        """Shared memory of a multiprocessor [byte]; 0 if unknown."""
        return int(self.attributes.get("MaxSharedMemoryPerMultiprocessor", 0))

    @cached_property
    def roofline(self) -> "Roofline | None":
        """The roofline of this GPU's profile, or None if the catalogue has none."""
        from bench.workloads.roofline import rated_roofline
        from hardware_profiles.catalog import load, load_all, recognise

        device = recognise(self.state.name, load_all())
        return rated_roofline(load(device.slug)) if device else None

    def timed_ms(self, queue: Any) -> float:
        """Return the device's time for the work that `queue` puts on the stream [ms], by its own events."""
        cp = self.cupy
        start, end = cp.cuda.Event(), cp.cuda.Event()
        start.record(self.stream)
        queue()
        end.record(self.stream)
        end.synchronize()
        return float(cp.cuda.get_elapsed_time(start, end))

    def warm(self, work: Callable[[], object]) -> None:
        """Repeat some work until the chip's clocks have risen."""
        end = time.monotonic() + WARM_S
        while time.monotonic() < end:
            work()
            self.stream.synchronize()

    def close(self) -> None:
        """Release unused device memory."""
        self.cupy.get_default_memory_pool().free_all_blocks()
