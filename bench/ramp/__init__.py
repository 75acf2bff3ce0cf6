"""Ramps: seconds and joules from a command to its effect, by a meter that is not the own one of the device."""
