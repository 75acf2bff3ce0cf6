"""Miners on loopback that are set: each acts on its commands, with the quirks that its firmware is known for."""
