"""The one shape that a replay of a model takes, whatever device it runs on."""

from typing import Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from kernels.errors import KernelInputError
from kernels.llm.shapes import ModelShape

Tokens = NDArray[np.int64]


@runtime_checkable
class Replay(Protocol):
    """A model's layers with random weights on a device, with a cache of keys and values for a batch.

    shape, batch, capacity: model, sequences, and tokens that each one's cache can hold.
    variant: name of the implementation.
    weight_bytes: of all distinct weights that consecutive calls go through.
    """

    shape: ModelShape
    batch: int
    capacity: int
    variant: str
    weight_bytes: int

    def prefill(self, tokens: Tokens) -> Tokens:
        """Read prompts [batch, n] into an empty cache and return each one's next token [batch]."""
        ...

    def decode(self, tokens: Tokens) -> Tokens:
        """Add one token a sequence [batch] and return the next one [batch]; synchronous on return."""
        ...

    def fill(self, length: int) -> None:
        """Fill the cache with random keys and values up to a length, so that decoding can be timed there alone."""
        ...

    def logits(self) -> NDArray[np.float32]:
        """Return the logits of the last call [batch, vocabulary]."""
        ...

    def close(self) -> None:
        """Release weights and cache; may be called twice."""
        ...


def check_replay(shape: ModelShape, batch: int, capacity: int) -> None:
    """Refuse a batch below 1 and a cache longer than the model's context. Raises KernelInputError."""
    if batch < 1:
        raise KernelInputError(f"replay of {shape.name}: batch: expected at least 1, got {batch}")
    if not 1 <= capacity <= shape.context:
        raise KernelInputError(
            f"replay of {shape.name}: input + output: expected 1 to {shape.context} tokens (its context), "
            f"got {capacity}"
        )
