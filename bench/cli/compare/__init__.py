"""`perwatt compare`: devices against each other, and the units of a fleet."""
