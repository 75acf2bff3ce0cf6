"""The digital twin: simulated miners, servers, feeder, meter and market, on a simulated clock."""
