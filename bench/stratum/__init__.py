"""A Stratum work server on the lab network: it hands out work and verifies every share that a miner returns."""
