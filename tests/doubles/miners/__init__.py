"""Miners on loopback: real sockets and bytes, replies with the keys and quirks of each family, invented figures."""
