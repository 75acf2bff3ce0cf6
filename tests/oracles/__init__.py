"""Slow, independent implementations that only tests compare against."""
