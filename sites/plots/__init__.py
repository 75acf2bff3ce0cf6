"""Plots of site years, scenarios and backtests."""
