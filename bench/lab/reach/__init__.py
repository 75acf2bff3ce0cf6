"""The ways to a host: over ssh, and on this machine."""
