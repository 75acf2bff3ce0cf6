"""The assembly of this CPU."""

import platform

from kernels.scan_cpu.throughput.arm import ArmAssembly
from kernels.scan_cpu.throughput.instruction import Dialect
from kernels.scan_cpu.throughput.x86 import X86Assembly
from kernels.scan_cpu.variants import host_features


def dialect_here() -> Dialect | None:
    """Return the assembly that this machine's code is probed in, or None if its instructions have no probes."""
    machine = platform.machine().lower()
    if machine in {"x86_64", "amd64"}:
        return X86Assembly(avx="avx" in host_features())
    return ArmAssembly() if machine in {"aarch64", "arm64"} else None
