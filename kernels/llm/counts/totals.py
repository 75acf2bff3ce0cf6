"""The FLOP and bytes of a whole step, and the sizes of weights."""

from kernels.llm.counts.attention import (
    attention_flop,
    cache_bytes,
    kv_bytes_per_token,
    prefill_attention_flop,
    recurrent_flop,
    state_bytes,
)
from kernels.llm.counts.precision import Precision, weight_width
from kernels.llm.counts.routing import expected_experts
from kernels.llm.shapes import ModelShape, bias_count, matrices, mtp_matrices, mtp_parameter_count, parameter_count


def linear_flop_per_token(shape: ModelShape) -> int:
    """Return the FLOP of all layers' matrix products for one token, without attention's products and the head."""
    return sum(2 * matrix.weights * matrix.active * matrix.layers for matrix in matrices(shape))


def head_flop(shape: ModelShape) -> int:
    """Return the FLOP of the output head for one token."""
    return 2 * shape.hidden * shape.vocabulary


def mtp_flop(shape: ModelShape) -> int:
    """Return the FLOP of the matrix products of the further-token layers for one token, with one head each.

    Attention's products are not in it.
    """
    linear = sum(2 * matrix.weights * matrix.active * matrix.layers for matrix in mtp_matrices(shape))
    return linear + shape.mtp_layers * head_flop(shape)


def prefill_flop(shape: ModelShape, tokens: int) -> int:
    """Return the FLOP to read a prompt and produce the first output token; the head runs once."""
    linear = linear_flop_per_token(shape) + recurrent_flop(shape)
    return tokens * linear + prefill_attention_flop(shape, tokens) + head_flop(shape)


def decode_flop(shape: ModelShape, context: int) -> int:
    """Return the FLOP of one further token whose query sees `context` keys including its own."""
    linear = linear_flop_per_token(shape) + recurrent_flop(shape)
    return linear + attention_flop(shape, context) + head_flop(shape)


def active_parameters(shape: ModelShape) -> int:
    """Return the number of weights that one token uses, embedding and head included."""
    return parameter_count(shape) - sum(
        (matrix.copies - matrix.active) * (matrix.weights + bias_count(shape, matrix)) * matrix.layers
        for matrix in matrices(shape)
    )


def matrix_bytes(shape: ModelShape, kind: Precision, experts: float | None = None) -> float:
    """Return the bytes of all layers' matrices [byte].

    Parameters
    ----------
    shape
        The model.
    kind
        Precision of its weights.
    experts
        Number of experts of a layer that are read; None counts all.
    """
    return sum(
        matrix.layers
        * matrix.weights
        * (matrix.copies if experts is None or matrix.copies == 1 else experts)
        * weight_width(matrix, kind)
        for matrix in matrices(shape)
    )


def weight_bytes(shape: ModelShape, kind: Precision, *, mtp: bool = False) -> float:
    """Return the size of the model's weights [byte]; norms and biases take at least two bytes each.

    Parameters
    ----------
    shape
        The model.
    kind
        Precision of its weights.
    mtp
        Whether the layers that predict further tokens are loaded too.
    """
    tables = (1 if shape.tied_embeddings else 2) * shape.vocabulary * shape.hidden
    small = parameter_count(shape) - tables
    small -= sum(matrix.weights * matrix.copies * matrix.layers for matrix in matrices(shape))
    total = matrix_bytes(shape, kind) + tables * kind.head + small * max(2.0, kind.head)
    if not mtp:
        return total
    rows = mtp_matrices(shape)
    weights = sum(matrix.weights * matrix.copies * matrix.layers for matrix in rows)
    total += sum(matrix.weights * matrix.copies * matrix.layers * weight_width(matrix, kind) for matrix in rows)
    return total + (mtp_parameter_count(shape) - weights) * max(2.0, kind.head)


def decode_bytes(shape: ModelShape, kind: Precision, batch: int, context: int) -> float:
    """Return the bytes that one decode step must move [byte].

    The step reads the weights once. Each sequence reads `context` keys and values including its new ones, writes the
    new ones, reads and writes its recurrent state, and reads one row of the embedding.

    Parameters
    ----------
    shape
        The model.
    kind
        Precision of its numbers.
    batch
        Number of sequences.
    context
        Tokens in the cache of each sequence after the step.
    """
    weights = matrix_bytes(shape, kind, expected_experts(shape, batch))
    head = shape.vocabulary * shape.hidden * kind.head
    cache = cache_bytes(shape, kind, context) + kv_bytes_per_token(shape, kind)
    per_sequence = cache + 2 * state_bytes(shape, kind) + shape.hidden * kind.head
    return weights + head + batch * per_sequence


def prefill_bytes(shape: ModelShape, kind: Precision, tokens: int, batch: int = 1) -> float:
    """Return the bytes that reading a batch of prompts must move [byte].

    The weights are read once, caches and states are written, and each token reads one row of the embedding. Tiled
    attention rereads the keys of a prompt on the chip, so that this is not counted.

    Parameters
    ----------
    shape
        The model.
    kind
        Precision of its numbers.
    tokens
        Tokens of each prompt.
    batch
        Number of prompts.
    """
    weights = matrix_bytes(shape, kind, expected_experts(shape, batch * tokens))
    head = shape.vocabulary * shape.hidden * kind.head
    per_token = kv_bytes_per_token(shape, kind) + shape.hidden * kind.head
    return weights + head + batch * (tokens * per_token + state_bytes(shape, kind))


def elementwise_bytes_per_token(shape: ModelShape, kind: Precision, shards: int = 1) -> float:
    """Return the bytes of activations that one token moves through one device's memory outside the products [byte].

    The residual has 16 bits at least, and activations that enter products have the width of `kind`. A block has a norm,
    which reads the product's output and the residual and writes the residual and the product's input; the result of its
    last product is written. Attention reads its projections and writes queries, keys and values (rotary and cache), and
    writes its output. A recurrent block does the same with its convolution. A feed-forward block writes and reads what
    enters the activation, and writes its result. A mixture of experts moves its share once for each active expert, and
    gathers and scatters the rows.

    Parameters
    ----------
    shape
        The model.
    kind
        Precision of its numbers.
    shards
        Devices that share a layer: each holds the whole residual stream, a part of the heads and of the feed-forward
        width.
    """
    wider = max(2.0, kind.activation)
    blocks = shape.attention_blocks + shape.recurrent_layers + shape.feed_forward_blocks + shape.dense_layers
    streams = blocks * shape.hidden * (3 * wider + kind.activation + wider)
    routed = shape.feed_forward_blocks * shape.active_experts * shape.is_moe
    routing = routed * (shape.expert_hidden or shape.hidden) * 2 * wider
    return streams + routing + _divided_bytes(shape, kind) / shards


def folded_bytes_per_token(shape: ModelShape, kind: Precision) -> float:
    """Return the bytes that a decoding token of latent attention moves beyond those of a prompt's token [byte].

    Queries folded to the latents and outputs before they are unfolded are written and read once; they take the place of
    the keys and values that are made of a prompt's latents.
    """
    if shape.latent is None:
        return 0.0
    made = 3 * shape.heads * (shape.head_size + shape.latent.value_size)
    folded = 4 * shape.heads * shape.latent.key_rank
    return shape.attention_blocks * (folded - made) * max(2.0, kind.activation)


def _divided_bytes(shape: ModelShape, kind: Precision) -> float:
    """Return the bytes of a token's activations that shards divide [byte]."""
    wider, entering = max(2.0, kind.activation), kind.activation
    total = 0.0
    for matrix in matrices(shape):
        kept = matrix.layers * matrix.active
        if matrix.role == "feed_forward":
            down = matrix.name.endswith("down")
            total += kept * (matrix.inner * entering if down else matrix.outer * 2 * wider)
        elif matrix.name in ("out", "whole_out", "recurrent_out"):
            total += kept * matrix.inner * (wider + entering)
        elif matrix.role == "attention":
            total += kept * matrix.outer * 3 * wider
    return total
