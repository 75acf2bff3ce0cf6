"""Compiled code of the scenario engine."""
