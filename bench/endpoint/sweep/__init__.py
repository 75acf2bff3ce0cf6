"""A sweep over the load of a server: which points to measure, and which of them are best."""
