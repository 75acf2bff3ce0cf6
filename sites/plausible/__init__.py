"""Plausible sizes: bands of the numbers in site and capital files, with sources, and the checks against them."""
