"""Dated data bundled with perwatt; README.md in this folder describes each file."""
