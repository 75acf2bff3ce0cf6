"""SHA-256 written once, as a reference, as a graph for code generators, and the block header."""
