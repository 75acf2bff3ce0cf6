"""Generators of the market files of Europe."""
