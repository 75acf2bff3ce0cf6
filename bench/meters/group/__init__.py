"""Several meters of one run: those that are added, and the sources that are read once."""
