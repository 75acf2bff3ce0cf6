"""The hourly series of a site file: their reader, and the ambient temperature with what follows from it."""
