"""Storage and start costs: batteries, and blocks that cannot be switched on and off for nothing, as plain arrays."""
