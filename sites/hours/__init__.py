"""Hourly inputs of a site: calendar, power prices, available power and demand."""
