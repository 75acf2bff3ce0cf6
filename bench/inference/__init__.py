"""From a model's shape to tokens per second and per joule on a device: modelled, validated, never bare."""
