"""Memory bandwidth of CPUs and NVIDIA GPUs."""
