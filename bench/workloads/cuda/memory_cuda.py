"""Memory bandwidth of an NVIDIA GPU: `memory_copy_cuda`, `memory_triad_cuda` and `memory_read_cuda`."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

from bench.workloads.cuda.context import BATCH_S, GpuContext, device_index
from bench.workloads.protocol import Batch, Check, VerificationError, WorkloadOptions
from bench.workloads.roofline import Bound
from hardware_profiles.errors import InputError, near_names

if TYPE_CHECKING:
    from kernels.memory.cuda import CudaStreams

CALIBRATION_PASSES = 5


class MemoryCuda:
    """Passes over arrays much larger than the caches; the unit is one byte read or written by the program."""

    version = 1
    unit = "byte"
    batch_s = BATCH_S

    def __init__(self, name: str, options: WorkloadOptions) -> None:
        from kernels.memory.cuda import VARIANTS

        self.name = name
        self._operation = name.split("_")[1]
        known = VARIANTS[self._operation]
        if options.variant not in (None, *known):
            near = near_names(str(options.variant), known)
            expected = f"one of {', '.join(known)}"
            raise InputError.at(f"workload {name}", "--variant", expected=expected, got=options.variant, near=near)
        self.variant = options.variant or ""
        self._candidates = [options.variant] if options.variant else list(known)
        self._index = device_index(name, options)
        self._gpu: GpuContext | None = None
        self._streams: CudaStreams | None = None
        self._tried: dict[str, float] = {}

    def prepare(self) -> None:
        """Make the arrays, compile, and keep the fastest variant and number of blocks."""
        from kernels.gpu.device import explained
        from kernels.memory.cuda import BLOCKS_EACH, CudaStreams, array_bytes, free_memory_bytes, grids

        gpu = self._gpu = GpuContext.open(self._index)
        size = array_bytes(gpu.cache_bytes, free_memory_bytes(gpu.cupy), max(BLOCKS_EACH) * gpu.multiprocessors)
        with gpu.stream, explained(self._index):
            streams = self._streams = CudaStreams(gpu.cupy, self._operation, size, gpu.multiprocessors)
            gpu.warm(lambda: streams.queue(str(self._candidates[0])))
            best = 0.0
            for variant in self._candidates:
                shapes = grids(gpu.multiprocessors, size) if variant == "kernel" else {"": streams.blocks}
                for shape, blocks in shapes.items():
                    streams.blocks = blocks
                    rate = self._quick_rate(gpu, streams, str(variant))
                    self._tried[f"{variant}, {shape}" if shape else str(variant)] = rate
                    if rate > best:
                        best, self.variant, chosen = rate, str(variant), blocks
            streams.blocks = chosen

    def _quick_rate(self, gpu: GpuContext, streams: "CudaStreams", variant: str) -> float:
        """Return the bandwidth of a few passes after a first one [byte/s]."""
        streams.queue(variant)
        gpu.stream.synchronize()
        milliseconds = gpu.timed_ms(lambda: streams.queue_many(variant, CALIBRATION_PASSES))
        return CALIBRATION_PASSES * self._bytes() / milliseconds * 1e3

    def verify(self) -> list[Check]:
        """Spoil the output, make one pass and compare every element."""
        gpu, streams = self._ready()
        with gpu.stream:
            streams.spoil()
            streams.queue(self.variant)
            gpu.stream.synchronize()
            return [self._checked("first pass")]

    def run(self, n: int) -> Batch:
        """Make `n` passes over the arrays."""
        from kernels.gpu.device import explained

        gpu, streams = self._ready()
        with gpu.stream, explained(self._index):
            moved = streams.queue_many(self.variant, n)
            gpu.stream.synchronize()
        return Batch(float(moved))

    def check_output(self) -> list[Check]:
        """Compare every element of the last timed pass."""
        gpu, _ = self._ready()
        with gpu.stream:
            return [self._checked("last timed pass")]

    def bound(self) -> Bound | None:
        """Return the rated bandwidth of the GPU's profile."""
        roofline = self._gpu.roofline if self._gpu else None
        return roofline.memory_bound() if roofline else None

    def parameters(self) -> Mapping[str, object]:
        """Return array size, cache size and the rates of the calibration."""
        parameters: dict[str, object] = {
            "array_bytes": self._streams.size_bytes if self._streams else 0,
            "blocks": self._streams.blocks if self._streams and self.variant == "kernel" else None,
            "last_level_cache_bytes": self._gpu.cache_bytes if self._gpu else None,
            "buffers": "cold", "data": "random", "counted": "program's reads and writes",
        }  # fmt: skip
        return parameters | {f"calibration: {name} [byte/s]": rate for name, rate in self._tried.items()}

    def _bytes(self) -> float:
        from kernels.memory.cuda import OPERATIONS

        return float(OPERATIONS[self._operation] * (self._streams.size_bytes if self._streams else 0))

    def _checked(self, name: str) -> Check:
        _, streams = self._ready()
        if not streams.is_right():
            raise VerificationError(f"{name}: an element of the {self._operation} is wrong")
        return Check(name, f"all {streams.size_bytes // 4} words right")

    def _ready(self) -> "tuple[GpuContext, CudaStreams]":
        if self._gpu is None or self._streams is None:
            raise RuntimeError("run before prepare")
        return self._gpu, self._streams

    def close(self) -> None:
        """Free the arrays."""
        if self._streams is not None:
            self._streams.close()
            self._streams = None
