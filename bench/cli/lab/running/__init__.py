"""The commands of `perwatt lab` that measure: run and resume, and the worker that they start on a host."""
