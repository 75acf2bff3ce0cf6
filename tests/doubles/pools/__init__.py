"""Processes that set the pool of a unit and are killed, or sent signals."""
