"""Market files as exported: readers of prices, carbon, coins and rents from the exact layouts of their sources."""
