"""Operating curves: the points of a device, each measured as an ordinary result."""
