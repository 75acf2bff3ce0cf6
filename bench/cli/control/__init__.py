"""`perwatt control`: a plan carried out, in shadow until a file arms it."""
