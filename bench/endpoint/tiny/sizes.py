"""The sizes of the two models of random weights that this machine can serve."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Size:
    """The sizes of a model, and how many requests its server works on at a time."""

    name: str  # of the model, and for `--url`
    embedding: int
    layers: int
    feed_forward: int
    heads: int
    kv_heads: int
    slots: int

    @property
    def server(self) -> str:
        """Name of its server in a record."""
        return f"{self.name} server, a model of random weights"


TINY = Size("tiny", embedding=64, layers=2, feed_forward=128, heads=4, kv_heads=2, slots=4)
"""200,000 weights (0.9 MB); one request at a time already fills its thread."""

SMALL = Size("small", embedding=2048, layers=1, feed_forward=4096, heads=16, kv_heads=2, slots=16)
"""39 million weights (155 MB): more than a cache holds, so that requests share the reading of them from memory."""

SIZES = {size.name: size for size in (TINY, SMALL)}
