"""Audits of a device during the windows: clocks, throttling, other programs and changed settings."""
