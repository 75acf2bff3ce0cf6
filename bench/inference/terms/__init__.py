"""The terms of a step's time, and the constants that they use."""
