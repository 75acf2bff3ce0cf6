"""ASIC miners on the local network: what the firmware of each family says of itself, in one record."""
