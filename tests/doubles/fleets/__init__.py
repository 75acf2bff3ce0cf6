"""Simulated fleets: figures, results folders and books of lab runs."""
