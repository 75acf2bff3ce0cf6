"""FLOP and bytes of a language model, counted from its shape; pure functions, exact.

One multiply and one add are two FLOP. Counted are the matrix products, attention's two products, the router and the
output head. Not counted: norms, rotary, activation, softmax, sampling (under 1 % of the FLOP; their *bytes* are
`elementwise_bytes_per_token`). The embedding is a look-up: no FLOP, one row of bytes a token.
"""

from dataclasses import dataclass
from difflib import get_close_matches

from kernels.errors import KernelInputError
from kernels.llm.shapes import ModelShape, parameter_count


@dataclass(frozen=True, slots=True)
class Precision:
    """What a number takes, by its role; scales of block formats included.

    feed_forward, attention, head, kv: bytes a weight of the feed-forward block, of attention, of embedding and output
    head, and a cached key or value.
    activation: bytes of an activation that enters a product.
    compute: the peak that matrix products run at, as hardware profiles name it.
    """

    name: str
    feed_forward: float
    attention: float
    head: float
    kv: float
    activation: float
    compute: str


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
    """One weight matrix of a decoder layer: a product of [tokens, inner] with [inner, outer].

    role: `attention`, `feed_forward` or `router`; copies, active: experts of a layer and those a token uses.
    """

    name: str
    inner: int
    outer: int
    role: str
    copies: int = 1
    active: int = 1

    @property
    def weights(self) -> int:
        """Numbers in one copy."""
        return self.inner * self.outer


def precision(name: str) -> Precision:
    """Return a precision by name (`fp8`, `NVFP4`).

    Raises
    ------
    KernelInputError
        The name is unknown; the near ones are listed.
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
    """Return the FLOP of all layers' matrix products for one token, without attention and head."""
    return shape.layers * sum(2 * matrix.weights * matrix.active for matrix in matrices(shape))


def head_flop(shape: ModelShape) -> int:
    """Return the FLOP of the output head for one token."""
    return 2 * shape.hidden * shape.vocabulary


def attention_flop(shape: ModelShape, context: int) -> int:
    """Return the FLOP of attention over all layers for one query that sees `context` keys, its own included."""
    return sum(4 * shape.query_width * shape.reach(layer, context) for layer in range(shape.layers))


def prefill_attention_flop(shape: ModelShape, tokens: int) -> int:
    """Return the FLOP of causal attention over a prompt: token i sees i keys, or the window."""
    total = 0
    for layer in range(shape.layers):
        reach = shape.reach(layer, tokens)
        # 1 + 2 + ... + reach, and then `reach` for each later token
        total += 4 * shape.query_width * (reach * (reach + 1) // 2 + (tokens - reach) * reach)
    return total


def prefill_flop(shape: ModelShape, tokens: int) -> int:
    """Return the FLOP to read a prompt of `tokens` and give the first output token (the head runs once)."""
    return tokens * linear_flop_per_token(shape) + prefill_attention_flop(shape, tokens) + head_flop(shape)


def decode_flop(shape: ModelShape, context: int) -> int:
    """Return the FLOP of one further token whose query sees `context` keys, its own included."""
    return linear_flop_per_token(shape) + attention_flop(shape, context) + head_flop(shape)


def active_parameters(shape: ModelShape) -> int:
    """Return the weights that take part in one token, embedding and head included."""
    idle = shape.experts - shape.active_experts
    per_expert = 3 * shape.hidden * shape.ffn + shape.ffn_bias * (2 * shape.ffn + shape.hidden)
    return parameter_count(shape) - shape.layers * idle * per_expert


def expected_experts(shape: ModelShape, tokens: int) -> float:
    """Return how many experts of a layer at least one of `tokens` tokens uses, with even random routing."""
    if not shape.is_moe:
        return 1.0
    return shape.experts * (1.0 - (1.0 - shape.active_experts / shape.experts) ** tokens)


def layer_weight_bytes(shape: ModelShape, kind: Precision, experts: float | None = None) -> float:
    """Return the bytes of one layer's matrices; of `experts` experts only where given (those that are read)."""
    return sum(
        matrix.weights
        * (matrix.copies if experts is None or matrix.copies == 1 else experts)
        * weight_width(matrix, kind)
        for matrix in matrices(shape)
    )


def weight_bytes(shape: ModelShape, kind: Precision) -> float:
    """Return what the model's weights take in memory [byte]; norms and biases count as two bytes each at most."""
    small = parameter_count(shape) - 2 * shape.vocabulary * shape.hidden
    small -= shape.layers * sum(matrix.weights * matrix.copies for matrix in matrices(shape))
    table = 2 * shape.vocabulary * shape.hidden * kind.head
    return shape.layers * layer_weight_bytes(shape, kind) + table + small * max(2.0, kind.head)


def kv_bytes_per_token(shape: ModelShape, kind: Precision) -> float:
    """Return the keys and values of one token over all layers [byte], windows ignored."""
    return 2 * shape.layers * shape.kv_width * kind.kv


def kv_bytes(shape: ModelShape, kind: Precision, tokens: int) -> float:
    """Return the cache of one sequence of `tokens` [byte]; a windowed layer keeps no more than its window."""
    kept = sum(shape.reach(layer, tokens) for layer in range(shape.layers))
    return 2 * shape.kv_width * kind.kv * kept


def decode_bytes(shape: ModelShape, kind: Precision, batch: int, context: int) -> float:
    """Return the bytes that one decode step of `batch` sequences must move: weights once, caches, new entries.

    Each sequence reads `context` keys and values (its own new one included, in the step that writes it), writes one,
    and reads one row of the embedding.
    """
    weights = shape.layers * layer_weight_bytes(shape, kind, expected_experts(shape, batch))
    head = shape.vocabulary * shape.hidden * kind.head
    per_sequence = kv_bytes(shape, kind, context) + kv_bytes_per_token(shape, kind) + shape.hidden * kind.head
    return weights + head + batch * per_sequence


def prefill_bytes(shape: ModelShape, kind: Precision, tokens: int, batch: int = 1) -> float:
    """Return the bytes that reading `batch` prompts must move: weights once, caches written, embedding rows.

    Attention's re-reading of keys within a prompt stays on the chip (tiled), so it is not counted.
    """
    weights = shape.layers * layer_weight_bytes(shape, kind, expected_experts(shape, batch * tokens))
    head = shape.vocabulary * shape.hidden * kind.head
    return weights + head + batch * tokens * (kv_bytes_per_token(shape, kind) + shape.hidden * kind.head)


def elementwise_bytes_per_token(shape: ModelShape, kind: Precision, shards: int = 1) -> float:
    """Return the activation bytes that one token moves through one device's memory outside the products [byte].

    A layer, with 16-bit residual and activations of `kind` entering products: two norms (read the product's output and
    the residual, write the residual and the product's input), rotary and cache (read qkv, write q, k, v), attention's
    output, the gate (read gate and up, write their product), and each product writing its 16-bit result. A mixture of
    experts moves its share once per active expert and gathers and scatters the rows. Over `shards` devices the
    residual stream stays whole on each; heads and the feed-forward width are divided.
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
    """Return the bytes that one weight of a matrix takes; a router stays as precise as the head."""
    if matrix.role == "feed_forward":
        return kind.feed_forward
    return kind.attention if matrix.role == "attention" else kind.head
