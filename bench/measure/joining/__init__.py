"""Logs of meters that are joined to a stored run."""
