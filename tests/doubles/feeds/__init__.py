"""Generators that write synthetic years in the exact layouts of market files, all from one hourly truth."""
