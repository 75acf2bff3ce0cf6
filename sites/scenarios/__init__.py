"""Scenarios: stochastic models of the inputs, the engine that runs them, and what they tell."""
