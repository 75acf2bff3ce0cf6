"""The parts of a record that only one kind of workload has: what a miner or an inference server showed."""
