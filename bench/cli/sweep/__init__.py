"""`perwatt sweep` and its tables."""
