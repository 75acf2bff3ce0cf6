"""The meter `nvml`: the energy and the power of NVIDIA GPUs, and why a GPU may have neither."""

from bench.meters.kinds.nvml.kind import ENTRY
from bench.meters.kinds.nvml.meter import Nvml

__all__ = ["ENTRY", "Nvml"]
