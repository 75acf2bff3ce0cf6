"""The machine under test: environment, devices, core clock, identity, profile, and locks of its power domains."""
