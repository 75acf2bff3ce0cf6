"""`perwatt meter`: a look at a meter before a run."""
