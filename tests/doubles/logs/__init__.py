"""Logs of wall meters that tests write: rows by hand, and whole logs drawn at random."""
