"""Site files: their tables and keys, the series they name, and the site built from them."""
