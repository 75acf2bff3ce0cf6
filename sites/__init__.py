"""Yield of a site: what a megawatt is worth, hashed or inferred, as pure functions, then a Site, then a year."""
