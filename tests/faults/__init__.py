"""Faults on purpose: commands that are killed, refused and fed with damaged files, and what must hold afterwards."""
