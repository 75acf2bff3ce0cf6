"""Generators of the market files of North America, except ERCOT's."""
