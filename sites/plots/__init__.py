"""Plots of sites, scenarios and backtests."""
