"""The compiled scans, one module per variant, as Numba's cache requires."""
