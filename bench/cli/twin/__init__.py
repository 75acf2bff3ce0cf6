"""The command `perwatt twin`."""
