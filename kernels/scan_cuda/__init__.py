"""The nonce scan on NVIDIA GPUs in generated CUDA C and as a readable Numba kernel, and probes of the GPU."""
