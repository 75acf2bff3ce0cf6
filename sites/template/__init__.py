"""The template of a first site file, and the countries with a default for time zone, currency and price of power."""
