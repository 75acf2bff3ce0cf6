"""The meters, one module per kind."""
