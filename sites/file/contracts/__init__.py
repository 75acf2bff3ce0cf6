"""The tables of contracts, investments, debt and tax in a site file."""
