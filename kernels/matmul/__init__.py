"""Matrix products on CPUs and NVIDIA GPUs, their number formats, counts and tolerances."""
