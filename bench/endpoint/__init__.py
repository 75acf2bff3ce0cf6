"""Live inference endpoints: load, token times, energy per token, and what a server says of itself."""
