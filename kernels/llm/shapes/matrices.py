"""The weight matrices of a model, as engines fuse them."""

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from kernels.llm.shapes.model import ModelShape


@dataclass(frozen=True, slots=True)
class Matrix:
    """One weight matrix of a decoder layer, whose product is [tokens, inner] with [inner, outer]."""

    name: str
    inner: int  # elements of an input row
    outer: int  # elements of an output row
    role: str  # attention (recurrent layers too), feed_forward or router
    layers: int  # in how many layers it stands
    copies: int = 1  # experts of a layer
    active: int = 1  # experts that a token uses
    fp4: bool = True  # whether checkpoints in fp4 store it in fp4

    @property
    def weights(self) -> int:
        """Number of weights of one copy."""
        return self.inner * self.outer


def matrices(shape: "ModelShape") -> tuple[Matrix, ...]:
    """Return all weight matrices of the layers, as engines fuse them: qkv together, gate and up together."""
    dense = (
        _pair(shape, group.ffn, f"dense_{group.ffn}_" if len(shape.dense) > 1 else "dense_", layers=group.layers)
        for group in shape.dense
    )
    rows = (
        *_attention(shape, shape.attention_blocks),
        *_recurrent(shape),
        *_main_feed_forward(shape, shape.feed_forward_blocks),
        *(matrix for group in dense for matrix in group),
    )
    return tuple(replace(row, fp4=False) if row.name in shape.not_in_fp4 else row for row in rows)


def mtp_matrices(shape: "ModelShape") -> tuple[Matrix, ...]:
    """Return the matrices of the layers that predict further tokens; they use the embedding and head of the model.

    Each joins the embedding of the last token to the model's output, and then is a layer like the others.
    """
    layers = shape.mtp_layers
    if layers == 0:
        return ()
    join = Matrix("join", 2 * shape.hidden, shape.hidden, "attention", layers)
    return (join, *_attention(shape, layers), *_main_feed_forward(shape, layers))


def _attention(shape: "ModelShape", layers: int) -> tuple[Matrix, ...]:
    if layers == 0:
        return ()
    hidden, heads, latent = shape.hidden, shape.heads, shape.latent
    if latent is None:
        qkv = shape.query_width * (2 if shape.attention_gate else 1) + 2 * shape.kv_width
        others = layers if shape.whole is None else shape.windowed_layers
        return (
            Matrix("qkv", hidden, qkv, "attention", others),
            Matrix("out", shape.query_width, hidden, "attention", others),
            *_whole(shape, layers - others),
        )
    queries = heads * (shape.head_size + latent.rotary_size)
    down: tuple[Matrix, ...]
    if latent.query_rank is None:
        down = (Matrix("query_and_latent", hidden, queries + latent.cached, "attention", layers),)
    else:
        down = (
            Matrix("latents", hidden, latent.query_rank + latent.cached, "attention", layers),
            Matrix("query_up", latent.query_rank, queries, "attention", layers),
        )
    return (
        *down,
        # a prompt's keys and values are made with it; decoding folds its halves into queries and outputs instead
        Matrix("key_value_up", latent.key_rank, heads * (shape.head_size + latent.value_size), "attention", layers),
        Matrix("out", heads * latent.value_size, hidden, "attention", layers),
        *_indexer(shape, layers),
    )


def _whole(shape: "ModelShape", layers: int) -> tuple[Matrix, ...]:
    """Return the matrices of attention in the layers that see everything, where they have their own."""
    if shape.whole is None:
        return ()
    queries = shape.heads * shape.whole.head_size
    keys = shape.whole.kv_heads * shape.whole.head_size
    qkv = queries + keys * (1 if shape.whole.one_projection else 2)
    return (
        Matrix("whole_qkv", shape.hidden, qkv, "attention", layers),
        Matrix("whole_out", queries, shape.hidden, "attention", layers),
    )


def _indexer(shape: "ModelShape", layers: int) -> tuple[Matrix, ...]:
    indexer, latent = shape.indexer, shape.latent
    if indexer is None or latent is None or latent.query_rank is None:
        return ()
    return (
        Matrix("index_query", latent.query_rank, indexer.heads * indexer.head_size, "attention", layers),
        Matrix("index_key", shape.hidden, indexer.head_size, "attention", layers),
        Matrix("index_weights", shape.hidden, indexer.heads, "router", layers),
    )


def _recurrent(shape: "ModelShape") -> tuple[Matrix, ...]:
    recurrent, layers = shape.recurrent, shape.recurrent_layers
    if recurrent is None:
        return ()
    return (
        Matrix("recurrent_in", shape.hidden, recurrent.projected, "attention", layers),
        Matrix("recurrent_out", recurrent.value_width, shape.hidden, "attention", layers),
    )


def _main_feed_forward(shape: "ModelShape", layers: int) -> tuple[Matrix, ...]:
    """Return the dense blocks, or router, experts and shared expert."""
    if layers == 0:
        return ()
    hidden, experts, inner = shape.hidden, shape.experts, shape.expert_hidden
    router = (Matrix("router", hidden, experts, "router", layers),) if shape.is_moe else ()
    shared = _pair(shape, shape.shared_ffn, "shared_", layers=layers) if shape.shared_ffn else ()
    gate = (Matrix("shared_gate", hidden, 1, "router", layers),) if shape.shared_gate else ()
    projections = (
        (Matrix("expert_in", hidden, inner, "router", layers), Matrix("expert_out", inner, hidden, "router", layers))
        if inner
        else ()
    )
    return (
        *router,
        *_pair(shape, shape.ffn, hidden=inner, layers=layers, copies=experts, active=shape.active_experts),
        *shared,
        *gate,
        *projections,
    )


def _pair(  # noqa: PLR0913 (numbers of a block, by name)
    shape: "ModelShape",
    ffn: int,
    prefix: str = "",
    *,
    layers: int,
    hidden: int | None = None,
    copies: int = 1,
    active: int = 1,
) -> tuple[Matrix, Matrix]:
    """Return the matrices into and out of a feed-forward block."""
    hidden = hidden or shape.hidden
    up, outer = ("gate_up", 2 * ffn) if shape.ffn_gated else ("up", ffn)
    return (
        Matrix(f"{prefix}{up}", hidden, outer, "feed_forward", layers, copies, active),
        Matrix(f"{prefix}down", ffn, hidden, "feed_forward", layers, copies, active),
    )
