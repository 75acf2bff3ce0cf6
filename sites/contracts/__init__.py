"""Contracts of a site, each a pure model: what it pays and costs in each month, by line."""
