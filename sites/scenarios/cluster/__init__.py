"""Scenarios on a Dask cluster: the connection, and the shards that its workers compute."""
