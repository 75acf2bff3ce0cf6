"""The nonce scan on NVIDIA GPUs: generated CUDA C, a readable Numba kernel, and instruction probes."""
