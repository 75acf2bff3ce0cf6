"""Matrix products on CPUs and NVIDIA GPUs."""
