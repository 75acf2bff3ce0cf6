"""Traces of loads whose requests are not equal: a list of lengths, and a steady batch."""
