"""Parts that the parsers of several families need."""
