"""Language models, their shapes, exact operation counts, and replays of their layers on CPUs and GPUs."""
