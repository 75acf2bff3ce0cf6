"""Devices on loopback that speak a meter's protocol, each for every table of its transport.

A `Device` plays a load; a peer encodes its figures as a table says, with the protocol's own library or a real program.
"""
