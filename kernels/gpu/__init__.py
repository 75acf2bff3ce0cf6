"""Access to NVIDIA GPUs: their state, faults with cures, memory filled with random values, and CUDA tools."""
