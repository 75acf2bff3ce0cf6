"""The parts of a model that only some models have, each a table of its file."""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

Count = Annotated[int, Field(gt=0)]


class Source(BaseModel):
    """A page or file in which a model's figures were read."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    title: str
    address: str
    read: str  # ISO date
    printed: str  # the figures as they are printed there


class Part(BaseModel):
    """A table of a model file."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


class DenseLayers(Part):
    """Layers whose feed-forward block is dense and has a width of its own."""

    layers: Count
    ffn: Count  # inner width


class Whole(Part):
    """Attention of the layers that see everything, where it differs from that of the layers with the window."""

    kv_heads: Count
    head_size: Count  # width of a query or key head
    one_projection: bool = False  # keys and values come from one matrix


class Latent(Part):
    """Multi-head latent attention: the cache holds one short vector a token instead of keys and values of each head."""

    query_rank: Count | None = None  # width of the compressed queries; none: queries are not compressed
    key_rank: Count  # width of the compressed keys and values, which are cached
    rotary_size: Count  # width of the rotary part of a query head and of the one key, which is cached too
    value_size: Count  # width of a value head

    @property
    def cached(self) -> int:
        """Numbers that the cache holds for a token and a layer."""
        return self.key_rank + self.rotary_size


class Indexer(Part):
    """Sparse attention: a light attention scores all keys, and the heads see the best of them only."""

    heads: Count
    head_size: Count
    keys: Count  # keys that a query sees at most


class Recurrent(Part):
    """Layers with a state of constant size instead of attention (Mamba 2, gated delta rule)."""

    kind: Literal["mamba2", "gated_delta"]
    key_heads: Count  # heads of keys and queries; groups of B and C in Mamba 2
    key_size: Count  # width of a key; size of the state in Mamba 2
    value_heads: Count  # heads of values, each with a state of key_size x value_size
    value_size: Count
    convolution: Count  # tokens that the short convolution reaches

    @property
    def key_width(self) -> int:
        """Width of all keys together, which is also that of all queries."""
        return self.key_heads * self.key_size

    @property
    def value_width(self) -> int:
        """Width of all values together."""
        return self.value_heads * self.value_size

    @property
    def convolved(self) -> int:
        """Width of what passes through the convolution: queries, keys and values."""
        return 2 * self.key_width + self.value_width

    @property
    def projected(self) -> int:
        """Width of the input projection: what is convolved, the gate, and one or two numbers a value head."""
        per_head = 1 if self.kind == "mamba2" else 2  # step size; decay and strength of the update
        return self.convolved + self.value_width + per_head * self.value_heads

    @property
    def state(self) -> int:
        """Numbers of the state of one sequence in one layer, without the convolution's last tokens."""
        return self.value_heads * self.key_size * self.value_size
