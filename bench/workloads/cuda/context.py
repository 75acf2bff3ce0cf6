"""What every GPU workload opens: CuPy on the device asked for, its size, its profile, and an own stream."""

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


BATCH_S = 0.15
"""Length of one timed call on a GPU [s]: the some 50 µs that it waits between two of them are then 0.03 %."""

WARM_S = 0.25
"""Load before anything is compared [s]: an idle chip takes some of it to raise its clocks."""


def device_index(workload: str, options: WorkloadOptions) -> int:
    """Return the index in `gpu:<index>`.

    Raises
    ------
    InputError
        The device is named otherwise.
    """
    from kernels.errors import KernelInputError
    from kernels.gpu.device import parse_device

    try:
        return parse_device(options.device)
    except KernelInputError as error:
        raise InputError(f"workload {workload}: --{error}") from None


@dataclass(frozen=True)
class GpuContext:
    """One open GPU; `cupy` is the module with this device current."""

    cupy: Any
    state: "GpuState"
    stream: Any

    @classmethod
    def open(cls, index: int) -> "GpuContext":
        """Open a GPU and a stream on it.

        Raises
        ------
        GpuError
            It cannot be used.
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
        """How many SMs there are."""
        return int(self.attributes["MultiProcessorCount"])

    @property
    def cache_bytes(self) -> int:
        """Size of the last-level cache [byte]."""
        return int(self.attributes.get("L2CacheSize", 0))

    @property
    def shared_bytes(self) -> int:
        """Shared memory of a multiprocessor [byte]; 0 where it is unknown."""
        return int(self.attributes.get("MaxSharedMemoryPerMultiprocessor", 0))

    @cached_property
    def roofline(self) -> "Roofline | None":
        """The roofline of the profile that this GPU is recognised as; None where the catalogue has none."""
        from bench.workloads.roofline import rated_roofline
        from hardware_profiles.catalog import load, load_all, recognise

        device = recognise(self.state.name, load_all())
        return rated_roofline(load(device.slug)) if device else None

    def timed_ms(self, queue: Any) -> float:
        """Return how long the device takes for what `queue` puts on the stream [ms], by its own events."""
        cp = self.cupy
        start, end = cp.cuda.Event(), cp.cuda.Event()
        start.record(self.stream)
        queue()
        end.record(self.stream)
        end.synchronize()
        return float(cp.cuda.get_elapsed_time(start, end))

    def warm(self, work: Callable[[], object]) -> None:
        """Repeat some work until the chip's clocks are up."""
        end = time.monotonic() + WARM_S
        while time.monotonic() < end:
            work()
            self.stream.synchronize()

    def close(self) -> None:
        """Give unused device memory back."""
        self.cupy.get_default_memory_pool().free_all_blocks()
