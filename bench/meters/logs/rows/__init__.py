"""Rows of a log: which are read, their cells, their order, and the sum over devices."""
