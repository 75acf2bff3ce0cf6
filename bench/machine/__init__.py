"""The machine under test: environment, devices, clock, identity, and locks of its power domains."""
