"""Twins that a test starts."""
