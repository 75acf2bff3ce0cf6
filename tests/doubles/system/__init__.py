"""Trees of the system's files as machines have them."""
