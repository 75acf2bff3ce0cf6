"""The FLOP and bytes of a language model, counted exactly from its shape.

A multiplication and an addition are two FLOP. The counts hold the matrix products, attention's two products, the router
and the output head. They leave out norms, rotary, activation, softmax and sampling, which are under 1 % of the FLOP;
`elementwise_bytes_per_token` counts their bytes. The embedding is a look-up: it has no FLOP and reads one row a token.
"""

from dataclasses import dataclass
from difflib import get_close_matches

from kernels.errors import KernelInputError
from kernels.llm.shapes import ModelShape, parameter_count


@dataclass(frozen=True, slots=True)
class Precision:
    """The size of a number by its role, scales of block formats included."""

    name: str
    feed_forward: float  # [byte] a weight of the feed-forward block
    attention: float  # [byte] a weight of attention
    head: float  # [byte] a weight of the embedding and the output head
    kv: float  # [byte] a cached key or value
    activation: float  # [byte] an activation that enters a product
    compute: str  # peak of the matrix products, as hardware profiles name it


PRECISIONS = {
    precision.name: precision
    for precision in (
        Precision("fp32", 4, 4, 4, 4, 4, "fp32"),
        Precision("bf16", 2, 2, 2, 2, 2, "bf16"),
        Precision("fp16", 2, 2, 2, 2, 2, "fp16"),
        # checkpoints in fp8 keep embedding and head in bf16, and cache keys and values in fp8
        Precision("fp8", 1, 1, 2, 1, 1, "fp8"),
        # NVFP4: 4 bits and one fp8 scale a block of 16
        Precision("fp4", 0.5 + 1 / 16, 0.5 + 1 / 16, 2, 1, 0.5 + 1 / 16, "fp4"),
        # MXFP4 experts (4 bits and one 8-bit exponent a block of 32), the rest in bf16
        Precision("mxfp4", 0.5 + 1 / 32, 2, 2, 2, 2, "bf16"),
    )
}
_OTHER_NAMES = {"nvfp4": "fp4", "float32": "fp32", "f32": "fp32", "bfloat16": "bf16", "float16": "fp16",
                "e4m3": "fp8"}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Matrix:
    """One weight matrix of a decoder layer, whose product is [tokens, inner] with [inner, outer]."""

    name: str
    inner: int  # elements of an input row
    outer: int  # elements of an output row
    role: str  # attention, feed_forward or router
    copies: int = 1  # experts of a layer
    active: int = 1  # experts that a token uses

    @property
    def weights(self) -> int:
        """Number of weights of one copy."""
        return self.inner * self.outer


def precision(name: str) -> Precision:
    """Return a precision by name (`fp8`, `NVFP4`).

    Raises
    ------
    KernelInputError
        The name is unknown; near names are listed.
    """
    folded = name.strip().casefold()
    folded = _OTHER_NAMES.get(folded, folded)
    if folded not in PRECISIONS:
        near = get_close_matches(folded, PRECISIONS, n=2)
        hint = f" (did you mean {', '.join(near)}?)" if near else ""
        raise KernelInputError(f"dtype: expected one of {', '.join(PRECISIONS)}, got {name!r}{hint}")
    return PRECISIONS[folded]


def matrices(shape: ModelShape) -> tuple[Matrix, ...]:
    """Return the weight matrices of one decoder layer, as engines fuse them: qkv together, gate and up together."""
    experts, active = shape.experts, shape.active_experts
    router = (Matrix("router", shape.hidden, experts, "router"),) if shape.is_moe else ()
    return (
        Matrix("qkv", shape.hidden, shape.query_width + 2 * shape.kv_width, "attention"),
        Matrix("out", shape.query_width, shape.hidden, "attention"),
        *router,
        Matrix("gate_up", shape.hidden, 2 * shape.ffn, "feed_forward", experts, active),
        Matrix("down", shape.ffn, shape.hidden, "feed_forward", experts, active),
    )


def linear_flop_per_token(shape: ModelShape) -> int:
    """Return the FLOP of all layers' matrix products for one token, without attention's products and the head."""
    return shape.layers * sum(2 * matrix.weights * matrix.active for matrix in matrices(shape))


def head_flop(shape: ModelShape) -> int:
    """Return the FLOP of the output head for one token."""
    return 2 * shape.hidden * shape.vocabulary


def attention_flop(shape: ModelShape, context: int) -> int:
    """Return the FLOP of attention in all layers for one query that sees `context` keys including its own."""
    return sum(4 * shape.query_width * shape.reach(layer, context) for layer in range(shape.layers))


def prefill_attention_flop(shape: ModelShape, tokens: int) -> int:
    """Return the FLOP of causal attention over a prompt, in which token i sees i keys or the window."""
    total = 0
    for layer in range(shape.layers):
        reach = shape.reach(layer, tokens)
        # 1 + 2 + ... + reach, and then `reach` for each later token
        total += 4 * shape.query_width * (reach * (reach + 1) // 2 + (tokens - reach) * reach)
    return total


def prefill_flop(shape: ModelShape, tokens: int) -> int:
    """Return the FLOP to read a prompt and produce the first output token; the head runs once."""
    return tokens * linear_flop_per_token(shape) + prefill_attention_flop(shape, tokens) + head_flop(shape)


def decode_flop(shape: ModelShape, context: int) -> int:
    """Return the FLOP of one further token whose query sees `context` keys including its own."""
    return linear_flop_per_token(shape) + attention_flop(shape, context) + head_flop(shape)


def active_parameters(shape: ModelShape) -> int:
    """Return the number of weights that one token uses, embedding and head included."""
    idle = shape.experts - shape.active_experts
    per_expert = 3 * shape.hidden * shape.ffn + shape.ffn_bias * (2 * shape.ffn + shape.hidden)
    return parameter_count(shape) - shape.layers * idle * per_expert


def expected_experts(shape: ModelShape, tokens: int) -> float:
    """Return the expected number of experts of a layer that some tokens use, if routing is even and random."""
    if not shape.is_moe:
        return 1.0
    return shape.experts * (1.0 - (1.0 - shape.active_experts / shape.experts) ** tokens)


def layer_weight_bytes(shape: ModelShape, kind: Precision, experts: float | None = None) -> float:
    """Return the bytes of one layer's matrices [byte].

    Parameters
    ----------
    shape
        The model.
    kind
        Precision of its weights.
    experts
        Number of experts that are read; None counts all.
    """
    return sum(
        matrix.weights
        * (matrix.copies if experts is None or matrix.copies == 1 else experts)
        * weight_width(matrix, kind)
        for matrix in matrices(shape)
    )


def weight_bytes(shape: ModelShape, kind: Precision) -> float:
    """Return the size of the model's weights [byte]; norms and biases take at least two bytes each."""
    small = parameter_count(shape) - 2 * shape.vocabulary * shape.hidden
    small -= shape.layers * sum(matrix.weights * matrix.copies for matrix in matrices(shape))
    table = 2 * shape.vocabulary * shape.hidden * kind.head
    return shape.layers * layer_weight_bytes(shape, kind) + table + small * max(2.0, kind.head)


def kv_bytes_per_token(shape: ModelShape, kind: Precision) -> float:
    """Return the size of one token's keys and values in all layers [byte], without regard to windows."""
    return 2 * shape.layers * shape.kv_width * kind.kv


def kv_bytes(shape: ModelShape, kind: Precision, tokens: int) -> float:
    """Return the size of one sequence's cache [byte]; a layer with a window keeps at most its window."""
    kept = sum(shape.reach(layer, tokens) for layer in range(shape.layers))
    return 2 * shape.kv_width * kind.kv * kept


def decode_bytes(shape: ModelShape, kind: Precision, batch: int, context: int) -> float:
    """Return the bytes that one decode step must move [byte].

    The step reads the weights once. Each sequence reads `context` keys and values including its new ones, writes the
    new ones, and reads one row of the embedding.

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
    weights = shape.layers * layer_weight_bytes(shape, kind, expected_experts(shape, batch))
    head = shape.vocabulary * shape.hidden * kind.head
    per_sequence = kv_bytes(shape, kind, context) + kv_bytes_per_token(shape, kind) + shape.hidden * kind.head
    return weights + head + batch * per_sequence


def prefill_bytes(shape: ModelShape, kind: Precision, tokens: int, batch: int = 1) -> float:
    """Return the bytes that reading a batch of prompts must move [byte].

    The weights are read once, the caches are written, and each token reads one row of the embedding. Tiled attention
    rereads the keys of a prompt on the chip, so that this is not counted.

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
    weights = shape.layers * layer_weight_bytes(shape, kind, expected_experts(shape, batch * tokens))
    head = shape.vocabulary * shape.hidden * kind.head
    return weights + head + batch * tokens * (kv_bytes_per_token(shape, kind) + shape.hidden * kind.head)


def elementwise_bytes_per_token(shape: ModelShape, kind: Precision, shards: int = 1) -> float:
    """Return the bytes of activations that one token moves through one device's memory outside the products [byte].

    The residual has 16 bits at least, and activations that enter products have the width of `kind`. A layer has two
    norms, which read the product's output and the residual and write the residual and the product's input; rotary and
    cache, which read qkv and write q, k and v; attention's output; the gate, which reads gate and up and writes their
    product; and the results of the products. A mixture of experts moves its share once for each active expert, and
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
    hidden, wide = shape.hidden, shape.query_width + 2 * shape.kv_width
    wider = max(2.0, kind.activation)
    entering = kind.activation
    norms = 2 * hidden * (3 * wider + entering)
    attention = wide * 3 * wider + shape.query_width * (wider + entering)
    feed_forward = shape.active_experts * (2 * shape.ffn * 2 * wider + shape.ffn * entering)
    routing = shape.is_moe * shape.active_experts * hidden * 2 * wider
    outputs = 2 * hidden * wider
    return shape.layers * (norms + routing + outputs + (attention + feed_forward) / shards)


def weight_width(matrix: Matrix, kind: Precision) -> float:
    """Return the size of one weight of a matrix [byte]; a router is as precise as the head."""
    if matrix.role == "feed_forward":
        return kind.feed_forward
    return kind.attention if matrix.role == "attention" else kind.head
