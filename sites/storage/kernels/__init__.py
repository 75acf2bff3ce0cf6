"""Compiled loops of storage and start costs."""
