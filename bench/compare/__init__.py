"""Comparisons of results and catalogue profiles: figures of devices, verdicts, overviews, tables and plots."""
