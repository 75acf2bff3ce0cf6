"""The most that the client carries: a server that computes nothing, and a load of the same kind against it."""
