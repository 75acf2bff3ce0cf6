"""The figures of a run against an endpoint: tokens, latencies and energy, each by a formula that the record states."""
