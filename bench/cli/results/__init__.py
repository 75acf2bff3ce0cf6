"""`perwatt results`: checks and signatures of stored results."""
