"""Requests that arrive at random times at a modelled server: a compiled simulation, latency tails, largest rates."""
