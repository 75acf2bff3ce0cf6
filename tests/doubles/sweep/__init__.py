"""Sweeps under a test's control: records of visits, a simulated unit that is swept, and a device that is a file."""
