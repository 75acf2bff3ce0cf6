"""Comparisons of results and catalogue profiles, as rows, tables and plots."""
