"""The workload of an ASIC miner: it hashes by itself, and our work server verifies and counts its shares."""
