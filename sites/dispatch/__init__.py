"""Dispatch: the hourly problem, the merit order that solves it, a year, and its loss waterfall."""
