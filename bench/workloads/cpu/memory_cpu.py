"""Memory bandwidth of the CPU: `memory_copy_cpu` and `memory_triad_cpu`."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

from bench.machine.cores import default_threads
from bench.machine.environment import last_level_cache_bytes
from bench.workloads.protocol import Batch, Check, VerificationError, WorkloadOptions
from hardware_profiles.errors import InputError

if TYPE_CHECKING:
    from kernels.memory.cpu import Streams


class MemoryCpu:
    """Streams over arrays much larger than the caches; the unit is one byte read or written by the program.

    As in STREAM, the extra read of a store to an uncached line (write-allocate) is not counted.
    """

    version = 1
    unit = "byte"

    def __init__(self, name: str, options: WorkloadOptions) -> None:
        if options.variant not in (None, "numba"):
            raise InputError.at(f"workload {name}", "--variant", expected="numba", got=options.variant)
        self.name = name
        self.variant = "numba"
        self.threads = options.threads or default_threads()
        self._operation = name.split("_")[1]
        self._streams: Streams | None = None
        self._length = 0

    def prepare(self) -> None:
        """Make the arrays and compile the loop."""
        import psutil

        from kernels.memory.cpu import Streams, array_length

        available = psutil.virtual_memory().available
        self._length = array_length(last_level_cache_bytes() or 0, available, self.threads)
        self._streams = Streams(self._length, self.threads)
        self._step()

    def verify(self) -> list[Check]:
        """Run once and compare every element."""
        self._step()
        return [self._checked("first pass")]

    def run(self, n: int) -> Batch:
        """Make `n` passes over the arrays."""
        return Batch(float(sum(self._step() for _ in range(n))))

    def check_output(self) -> list[Check]:
        """Compare every element of the last timed pass."""
        return [self._checked("last timed pass")]

    def _step(self) -> int:
        streams = self._open()
        return streams.copy() if self._operation == "copy" else streams.triad()

    def _checked(self, name: str) -> Check:
        streams = self._open()
        right = streams.copy_is_right() if self._operation == "copy" else streams.triad_is_right()
        if not right:
            raise VerificationError(f"{name}: an element of the {self._operation} is wrong")
        return Check(name, f"all {self._length} elements right")

    def _open(self) -> "Streams":
        if self._streams is None:
            raise RuntimeError("run before prepare")
        return self._streams

    def parameters(self) -> Mapping[str, object]:
        """Return array length, threads, and the sizes of the arrays and the last-level cache."""
        return {
            "length": self._length, "dtype": "f64", "threads": self.threads, "data": "uniform 0 to 1",
            "array_bytes": 8 * self._length, "last_level_cache_bytes": last_level_cache_bytes(),
            "counted": "program's reads and writes; write-allocate not counted",
        }  # fmt: skip

    def close(self) -> None:
        """Free the arrays and end the threads."""
        if self._streams is not None:
            self._streams.close()
            self._streams = None
