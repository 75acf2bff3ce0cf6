"""The live page of a controlled site: read-only, for this machine alone."""
