"""A simulated miner: the CPU scan behind a real Stratum client, which counts every hash that it computes."""
