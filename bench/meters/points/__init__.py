"""Meters that are described by data: a table of points, and a transport that reads them."""
