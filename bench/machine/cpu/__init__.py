"""The name of the CPU: what the kernel says of it, and the names of cores that are reported as numbers."""
