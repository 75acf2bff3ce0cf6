"""A Stratum V1 work server: jobs of a made-up chain, verification of shares, and a thread that a runner can use."""
