"""Levers of hosts: GPUs, CPUs, servers of models, nodes of a cluster."""
