"""Cells of a log: numbers, times, and readings that can be none."""
