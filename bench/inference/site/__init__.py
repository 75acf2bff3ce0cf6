"""Modelled rates and watts in the form that a site takes: by name, under power limits, scaled by measurements."""
