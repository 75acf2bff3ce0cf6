"""Generators of the files of Bitcoin's price and of rents."""
