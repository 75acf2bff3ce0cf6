"""`perwatt ramp`."""
