"""Doubles of ramps."""
