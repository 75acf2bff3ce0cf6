"""The command `perwatt levers`."""
