"""Clients of the work server in numbers: hostile ones with their campaign, and a crowd of plain ones."""
