"""Data over the network: raw answers of nodes and market sources, stored first and then read as files."""
