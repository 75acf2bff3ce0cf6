"""The rate of one kind of integer instruction on a GPU (`probe_iadd3_cuda` and its like), which bounds the scan."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

from bench.workloads.cuda.context import GpuContext, device_index
from bench.workloads.protocol import Batch, Check, VerificationError, WorkloadOptions
from hardware_profiles.errors import InputError

if TYPE_CHECKING:
    from kernels.scan_cuda.probes import GpuProbe

TURNS_PER_UNIT = 256


class ProbeCuda:
    """Independent chains of one instruction on every multiprocessor; the unit is one instruction of one thread."""

    version = 1
    unit = "instruction"

    def __init__(self, name: str, options: WorkloadOptions) -> None:
        if options.variant not in (None, "ptx"):
            raise InputError.at(f"workload {name}", "--variant", expected="ptx", got=options.variant)
        self.name = name
        self.variant = "ptx"
        self._index = device_index(name, options)
        self._kind = name.removeprefix("probe_").removesuffix("_cuda")
        self._gpu: GpuContext | None = None
        self._probe: GpuProbe | None = None
        self.per_clock: list[float] = []

    def prepare(self) -> None:
        """Compile the loop and run it once."""
        from kernels.scan_cuda.probes import GpuProbe

        self._gpu = GpuContext.open(self._index)
        with self._gpu.stream:
            self._probe = GpuProbe(self._gpu.cupy, self._kind)
            self._probe.run(TURNS_PER_UNIT)

    def verify(self) -> list[Check]:
        """Check that twice the turns take twice the clocks; a test counts the machine code of the loop."""
        gpu, probe = self._ready()
        with gpu.stream:
            probe.run(TURNS_PER_UNIT)
            once = probe.per_clock_per_multiprocessor(TURNS_PER_UNIT)
            probe.run(2 * TURNS_PER_UNIT)
            twice = probe.per_clock_per_multiprocessor(2 * TURNS_PER_UNIT)
        if not 0.9 < once / twice < 1.1:
            raise VerificationError(f"{self._kind}: {once:.1f} per clock over one loop, {twice:.1f} over two")
        return [Check("loop scales", f"{once:.2f} and {twice:.2f} per clock and SM over one and two lengths")]

    def run(self, n: int) -> Batch:
        """Run the loop for `n` times 256 turns."""
        gpu, probe = self._ready()
        with gpu.stream:
            done = probe.run(n * TURNS_PER_UNIT)
            self.per_clock.append(probe.per_clock_per_multiprocessor(n * TURNS_PER_UNIT))
        return Batch(done)

    def check_output(self) -> list[Check]:
        """Report the rate by the GPU's own clock counter."""
        return [
            Check("by clock64", f"{self.per_clock_median():.2f} instructions per clock and SM, median of all calls")
        ]

    def per_clock_median(self) -> float:
        """Return the instructions per clock and multiprocessor, as the median of all calls; nan before the first."""
        from statistics import median

        return median(self.per_clock) if self.per_clock else float("nan")

    def parameters(self) -> Mapping[str, object]:
        """Return the kind of instruction, the number of threads and the rate per clock."""
        parameters: dict[str, object] = {"instruction": self._kind, "threads_per_multiprocessor": 1024}
        if self.per_clock:
            parameters["per_clock_per_multiprocessor"] = self.per_clock_median()
        return parameters

    def _ready(self) -> "tuple[GpuContext, GpuProbe]":
        if self._gpu is None or self._probe is None:
            raise RuntimeError("run before prepare")
        return self._gpu, self._probe

    def close(self) -> None:
        """Release the probe."""
        self._probe = None
