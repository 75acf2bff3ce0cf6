"""Workloads: the protocol, the table of names, upper bounds, and the workloads of the CPU and of NVIDIA GPUs."""
