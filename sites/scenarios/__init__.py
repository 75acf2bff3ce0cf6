"""Scenarios: stochastic models of the inputs, the engine that runs them, and their statistics."""
