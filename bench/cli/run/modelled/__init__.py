"""`perwatt run llm` for a GPU of the catalogue: its loads, and the tables of random arrivals."""
