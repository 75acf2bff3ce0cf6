"""What stands for a clock, a workload and a meter in the tests."""
