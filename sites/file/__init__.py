"""Site files: their tables and keys, the hourly series that they name, and the sites built from them."""
