"""Pure functions that compute: arrays in, arrays out; no timing, no printing."""
