"""The interface of a replay of a model's layers, the same for every device."""

from typing import Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from kernels.errors import KernelInputError
from kernels.llm.shapes import ModelShape

Tokens = NDArray[np.int64]

# what a model may have that the layers of the replays have not
_UNUSUAL = (
    "attention_layers", "recurrent_layers", "feed_forward_layers", "dense", "ffn_gated", "expert_hidden", "shared_ffn",
    "tied_embeddings", "qkv_bias", "router_bias", "attention_gate", "qk_norm_joint", "norms_per_block", "latent",
    "indexer", "full_every", "chunked",
)  # fmt: skip


@runtime_checkable
class Replay(Protocol):
    """A model's layers with random weights on a device, with a cache of keys and values for a batch."""

    shape: ModelShape
    batch: int  # sequences
    capacity: int  # tokens that the cache of each sequence can hold
    variant: str  # name of the implementation
    weight_bytes: int  # of all distinct weights that consecutive calls use

    def prefill(self, tokens: Tokens) -> Tokens:
        """Read prompts [batch, n] into an empty cache and return the next token of each [batch]."""
        ...

    def decode(self, tokens: Tokens) -> Tokens:
        """Add one token to each sequence [batch] and return the next ones [batch] when they are computed."""
        ...

    def fill(self, length: int) -> None:
        """Fill the cache with random keys and values up to a length, to time decoding from there."""
        ...

    def logits(self) -> NDArray[np.float32]:
        """Return the logits of the last call [batch, vocabulary]."""
        ...

    def close(self) -> None:
        """Release weights and cache; may be called twice."""
        ...


def is_replayable(shape: ModelShape) -> bool:
    """Return whether all layers of a model are alike and of the kind that the replays compute."""
    return not _unusual(shape)


def check_replayable(shape: ModelShape) -> None:
    """Check that a model's layers are alike and of the kind that the replays compute.

    Raises
    ------
    KernelInputError
        The model has other layers; the message names their keys.
    """
    if unusual := _unusual(shape):
        raise KernelInputError(
            f"model {shape.name}: expected plain attention and one kind of layer, because the layers are replayed, got "
            f"{', '.join(unusual)}"
        )


def _unusual(shape: ModelShape) -> list[str]:
    return [key for key in _UNUSUAL if getattr(shape, key) != ModelShape.model_fields[key].default]


def check_replay(shape: ModelShape, batch: int, capacity: int) -> None:
    """Check the model, the batch and the capacity of a replay.

    Raises
    ------
    KernelInputError
        The model's layers are not replayed, the batch is below 1, or the cache is longer than the model's context.
    """
    check_replayable(shape)
    if batch < 1:
        raise KernelInputError(f"replay of {shape.name}: batch: expected at least 1, got {batch}")
    if not 1 <= capacity <= shape.context:
        raise KernelInputError(
            f"replay of {shape.name}: input + output: expected 1 to {shape.context} tokens (its context), "
            f"got {capacity}"
        )
