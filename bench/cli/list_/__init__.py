"""`perwatt list`, with one module for each long list."""
