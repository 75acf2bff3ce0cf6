"""The extension of the difficulty table from a node, a REST server or a file of block headers."""
