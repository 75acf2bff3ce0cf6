"""`perwatt feed`: market files as exported, and data over the network."""
