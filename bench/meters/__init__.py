"""Meters: the protocol, the common part of those that are polled, energy from readings, and the kinds of meters."""
