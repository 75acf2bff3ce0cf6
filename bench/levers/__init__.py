"""Levers: what can be set on a device, how it is seen that it took effect, and how the former setting comes back."""
