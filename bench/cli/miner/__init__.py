"""The command `perwatt miner`."""
