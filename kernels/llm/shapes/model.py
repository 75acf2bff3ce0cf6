"""The shape of a decoder-only language model."""

from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from kernels.llm.shapes.matrices import matrices
from kernels.llm.shapes.parameters import parameter_count
from kernels.llm.shapes.parts import Count, DenseLayers, Indexer, Latent, Recurrent, Source, Whole

Confidence = Literal["two_sources", "one_source", "unverified"]
NotNegative = Annotated[int, Field(ge=0)]


class ModelShape(BaseModel):
    """Everything about a decoder-only model that decides its FLOP and bytes.

    A layer usually has two blocks: attention (or a recurrent block) and a feed-forward block (dense, or experts). Some
    models have layers of one block, or leave blocks out.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, protected_namespaces=())

    name: str  # of the file
    title: str
    model_schema: Literal[1] = 1
    layers: Count
    hidden: Count  # width of the residual stream
    attention_layers: Count | None = None  # layers with attention; by default all that are not recurrent
    recurrent_layers: NotNegative = 0  # layers with a recurrent block, which the table `recurrent` describes
    feed_forward_layers: Count | None = None  # with a block of width `ffn`; by default all that `dense` does not list
    dense: list[DenseLayers] = []  # layers whose feed-forward block is dense and not as wide as `ffn`
    heads: Count  # query heads
    kv_heads: Count
    head_size: Count  # width of a query or key head; with `latent`, of its part without rotary position
    ffn: Count  # inner width of the feed-forward block, or of one expert
    ffn_gated: bool = True  # gate, up and down; false: only up and down
    experts: Count = 1  # of a layer; 1 for a dense model
    active_experts: Count = 1  # experts that a token uses
    expert_hidden: Count | None = (
        None  # width on which the routed experts work, after a projection; by default `hidden`
    )
    shared_ffn: NotNegative = 0  # inner width of the experts that every token uses, all together
    shared_gate: bool = False  # a learned factor weighs the shared expert
    vocabulary: Count  # rows of the embedding and of the output head
    tied_embeddings: bool = False  # the output head is the embedding
    context: Count  # [token] longest sequence that the model takes
    window: Count | None = None  # [token] reach of the sliding-window layers
    windowed_every: NotNegative = 0  # every n-th layer, from the first on, uses the window; 0: none
    full_every: NotNegative = 0  # every n-th layer sees everything and the others use the window; 0: see windowed_every
    whole: Whole | None = None  # attention of the layers that see everything, if it is another than that of the others
    chunked: bool = False  # the window stands still: a token sees those of its own chunk of that length
    mtp_layers: NotNegative = 0  # layers that predict further tokens, for speculative decoding
    attention_bias: bool = False
    qkv_bias: bool = False  # queries, keys and values have a bias, attention's output has not
    ffn_bias: bool = False
    router_bias: bool = False  # one number an expert, to balance the load
    attention_gate: bool = False  # a gate as wide as the queries scales attention's output
    qk_norm: bool = False  # query and key heads are normalised
    qk_norm_joint: bool = False  # over all heads together, with a weight for each number
    norms_per_block: Count = 1
    sinks: bool = False  # each head has a learned extra term in its softmax
    latent: Latent | None = None  # attention caches a latent vector (MLA)
    indexer: Indexer | None = None  # attention sees only the best keys
    recurrent: Recurrent | None = None
    fp8_block: int = 0  # side of the square of weights that share a scale in the maker's checkpoint in fp8; 0: rows
    not_in_fp4: list[str] = []  # matrices that published checkpoints in fp4 keep in 16 bits
    rope_theta: float
    norm_eps: float = 1e-5
    kv_bytes_per_token_bf16: Count  # [byte] cache of one token over all layers; must agree with the shape
    parameters: Count | None = None  # as the maker states it; must agree with the shape
    confidence: Confidence
    sources: Annotated[dict[str, Source], Field(min_length=1)]
    aliases: list[str] = []  # names that publishers use

    @property
    def is_moe(self) -> bool:
        """Whether a router picks experts."""
        return self.experts > 1

    @property
    def attention_blocks(self) -> int:
        """Number of layers with attention."""
        return self.layers - self.recurrent_layers if self.attention_layers is None else self.attention_layers

    @property
    def dense_layers(self) -> int:
        """Number of layers that `dense` lists."""
        return sum(group.layers for group in self.dense)

    @property
    def feed_forward_blocks(self) -> int:
        """Number of layers with a feed-forward block of width `ffn`, which are the layers of experts of a mixture."""
        return self.layers - self.dense_layers if self.feed_forward_layers is None else self.feed_forward_layers

    @property
    def query_width(self) -> int:
        """Width of all query heads together."""
        return self.heads * self.head_size

    @property
    def kv_width(self) -> int:
        """Width of all key heads together, which is also that of all value heads."""
        return self.kv_heads * self.head_size

    @property
    def cached(self) -> int:
        """Numbers that the cache holds for a token and a layer of attention, without the keys of an indexer."""
        return 2 * self.kv_width if self.latent is None else self.latent.cached

    @property
    def cached_whole(self) -> int:
        """The same for a layer that sees everything."""
        return self.cached if self.whole is None else 2 * self.whole.kv_heads * self.whole.head_size

    @property
    def windowed_layers(self) -> int:
        """Layers whose attention reaches only `window` tokens back."""
        if self.full_every:
            return self.attention_blocks - self.attention_blocks // self.full_every
        return 0 if self.windowed_every == 0 else -(-self.attention_blocks // self.windowed_every)

    def reach(self, layer: int, context: int) -> int:
        """Return how many keys a query sees in a layer of attention at a context length [token]."""
        if self._is_windowed(layer):
            return self.near(context)
        return context if self.indexer is None else min(context, self.indexer.keys)

    def near(self, context: int) -> int:
        """Return how many keys the last query of a context sees in a layer with the window [token]."""
        if self.window is None:
            return context
        return (context - 1) % self.window + 1 if self.chunked and context else min(context, self.window)

    def _is_windowed(self, layer: int) -> bool:
        if self.full_every:
            return (layer + 1) % self.full_every != 0
        return self.windowed_every > 0 and layer % self.windowed_every == 0

    def resized(self, **lengths: Any) -> Self:
        """Return the shape with other lengths, which are not checked against the published figures."""
        return self.model_copy(update=lengths)

    @model_validator(mode="after")
    def _agrees_with_itself(self) -> Self:
        if self.heads % self.kv_heads:
            raise ValueError(f"key heads: expected a multiple of kv_heads={self.kv_heads}, got {self.heads}")
        if self.head_size % 2:
            raise ValueError(f"key head_size: expected an even number (rotary pairs), got {self.head_size}")
        if self.active_experts > self.experts:
            raise ValueError(f"key active_experts: expected at most experts={self.experts}, got {self.active_experts}")
        if self.windowed_every and self.full_every:
            raise ValueError("key full_every: expected nothing, because windowed_every is set, got a number")
        if (self.windowed_every or self.full_every or self.chunked) and self.window is None:
            set_key = next(key for key in ("windowed_every", "full_every", "chunked") if getattr(self, key))
            raise ValueError(f"key window: expected a length, because {set_key} is set, got nothing")
        self._check_blocks()
        self._check_whole()
        named = {matrix.name for matrix in matrices(self)}
        if unknown := next((name for name in self.not_in_fp4 if name not in named), None):
            raise ValueError(f"key not_in_fp4: expected names among {', '.join(sorted(named))}, got {unknown!r}")
        windowed = self.windowed_layers
        kv_bytes = 2 * (windowed * self.cached + (self.attention_blocks - windowed) * self.cached_whole)
        if kv_bytes != self.kv_bytes_per_token_bf16:
            a_layer = "2 x kv_heads x head_size" if self.latent is None else "(key_rank + rotary_size)"
            raise ValueError(
                f"key kv_bytes_per_token_bf16: expected {kv_bytes} (layers with attention x {a_layer} x 2 byte), "
                f"got {self.kv_bytes_per_token_bf16}"
            )
        if self.parameters is not None and self.parameters != parameter_count(self):
            raise ValueError(
                f"key parameters: expected {parameter_count(self)} (counted from the shape), got {self.parameters}"
            )
        return self

    def _check_whole(self) -> None:
        """Check that attention of its own in the layers that see everything has such layers, and divides its heads."""
        if self.whole is None:
            return
        if not self.full_every or self.latent is not None:
            raise ValueError("key full_every: expected a number and no table latent, because there is a table whole")
        if self.heads % self.whole.kv_heads:
            raise ValueError(f"key whole.kv_heads: expected a divisor of heads={self.heads}, got {self.whole.kv_heads}")

    def _check_blocks(self) -> None:
        """Check that the blocks fill the layers, and that a block's table is there if and only if the block is."""
        mixers = self.attention_blocks + self.recurrent_layers
        feed_forwards = self.feed_forward_blocks + self.dense_layers
        if self.recurrent_layers > self.layers:
            raise ValueError(
                f"key recurrent_layers: expected at most layers={self.layers}, got {self.recurrent_layers}"
            )
        if self.dense_layers > self.layers:
            raise ValueError(f"key dense: expected at most layers={self.layers} in all, got {self.dense_layers}")
        if mixers > self.layers:
            most = self.layers - self.recurrent_layers
            raise ValueError(f"key attention_layers: expected at most {most} (layers), got {self.attention_blocks}")
        if feed_forwards > self.layers:
            most = self.layers - self.dense_layers
            raise ValueError(
                f"key feed_forward_layers: expected at most {most} (layers), got {self.feed_forward_blocks}"
            )
        if mixers + feed_forwards < self.layers:
            raise ValueError(f"key layers: expected at most {mixers + feed_forwards} (all blocks), got {self.layers}")
        if (self.recurrent is None) != (self.recurrent_layers == 0):
            raise ValueError("key recurrent: expected this table if and only if recurrent_layers is above 0")
        if self.indexer is not None and (self.latent is None or self.latent.query_rank is None):
            raise ValueError("key latent.query_rank: expected a width, because there is an indexer, got nothing")
