"""Hardware profiles: what devices are rated at, where each figure comes from, and the reader for it."""
