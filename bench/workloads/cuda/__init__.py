"""Workloads that run on NVIDIA GPUs."""
