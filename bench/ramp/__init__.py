"""Ramps: the seconds and joules from a command to off, to on and to full rate, by a wall meter."""
