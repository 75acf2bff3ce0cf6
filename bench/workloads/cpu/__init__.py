"""Workloads that run on the CPU."""
