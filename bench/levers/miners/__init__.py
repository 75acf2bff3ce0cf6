"""Levers of miners, one file a firmware."""
