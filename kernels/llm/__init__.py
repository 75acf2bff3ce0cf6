"""Language models: shapes, exact operation counts, and replays of their layers."""
