"""Access to NVIDIA GPUs: devices, faults with their cures, disassembly, launching."""
