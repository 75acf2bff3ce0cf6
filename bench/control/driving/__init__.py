"""The parts of the driver: what it sees, what it sends, and the figures of a cycle."""
