"""Measuring: plans, windows, metering, statistics, audits, and the runner that ties them together."""
