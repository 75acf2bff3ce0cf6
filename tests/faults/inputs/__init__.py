"""Damaged input for every reader: mutated files and command lines, and fuzzing guided by coverage."""
