"""The throughput model: tokens per second and per joule of a model on a device, with its error on published rates."""
