"""Attention and recurrent layers: FLOP of a query, size of the cache, size of the state."""

from kernels.llm.counts.precision import Precision
from kernels.llm.shapes import ModelShape

INDEX_SCALE_BYTES = 4  # an indexer's key is cached in fp8, with one float32 scale
STATE_BYTES = 4  # a recurrent state is kept in float32
# FLOP of a number of the state: decay it, add the outer product of key and value, read it out; the gated delta rule
# reads it once more before it adds the difference
STATE_FLOP = {"mamba2": 1 + 2 + 2, "gated_delta": 1 + 2 + 2 + 2}


def keys_seen(shape: ModelShape, context: int) -> int:
    """Return how many keys one query sees, summed over the layers of attention."""
    return sum(_keys_seen(shape, context))


def _keys_seen(shape: ModelShape, context: int) -> tuple[int, int]:
    """Return the same for the layers with the window, and for the others."""
    windowed = shape.windowed_layers
    far = context if shape.indexer is None else min(context, shape.indexer.keys)
    return windowed * shape.near(context), (shape.attention_blocks - windowed) * far


def pair_flop(shape: ModelShape, *, decoding: bool, windowed: bool = False) -> int:
    """Return the FLOP of attention's two products for one query and one key in one layer.

    `windowed` is for a layer with the window, whose heads may have another width.

    Latent attention decodes with the projections folded into queries and outputs, so that each head works on the
    latents as they are cached. A prompt's keys and values are made first, and are shorter. With an indexer a prompt
    uses the latents too.
    """
    latent = shape.latent
    if latent is None:
        return 4 * (shape.query_width if windowed or shape.whole is None else shape.heads * shape.whole.head_size)
    if decoding or shape.indexer is not None:
        return 2 * shape.heads * (latent.cached + latent.key_rank)
    return 2 * shape.heads * (shape.head_size + latent.rotary_size + latent.value_size)


def index_pair_flop(shape: ModelShape) -> int:
    """Return the FLOP of the indexer for one query and one key in one layer: a product a head and a weighted sum."""
    return 0 if shape.indexer is None else 2 * shape.indexer.heads * (shape.indexer.head_size + 1)


def attention_flop(shape: ModelShape, context: int) -> int:
    """Return the FLOP of attention in all layers for one decoding query, which sees `context` keys with its own."""
    index = shape.attention_blocks * context * index_pair_flop(shape)
    near, far = _keys_seen(shape, context)
    pairs = near * pair_flop(shape, decoding=True, windowed=True) + far * pair_flop(shape, decoding=True)
    return pairs + index


def prefill_attention_flop(shape: ModelShape, tokens: int) -> int:
    """Return the FLOP of causal attention over a prompt, in which token i sees i keys, the window or its chunk."""

    def pairs(reach: int) -> int:
        # 1 + 2 + ... + reach, and then `reach` for each later token
        return reach * (reach + 1) // 2 + (tokens - reach) * reach

    windowed, window = shape.windowed_layers, shape.window or tokens
    if shape.chunked:
        whole, part = divmod(tokens, window)
        near = windowed * (whole * (window * (window + 1) // 2) + part * (part + 1) // 2)
    else:
        near = windowed * pairs(min(tokens, window))
    far = tokens if shape.indexer is None else min(tokens, shape.indexer.keys)
    seen = near * pair_flop(shape, decoding=False, windowed=True)
    seen += (shape.attention_blocks - windowed) * pairs(far) * pair_flop(shape, decoding=False)
    return seen + shape.attention_blocks * pairs(tokens) * index_pair_flop(shape)


def recurrent_flop(shape: ModelShape) -> int:
    """Return the FLOP of all recurrent layers for one token, step by step and without their projections.

    The convolution counts two FLOP a number that it reaches. Kernels that read a prompt in chunks replace the steps by
    more FLOP in matrix products.
    """
    recurrent = shape.recurrent
    if recurrent is None:
        return 0
    step = STATE_FLOP[recurrent.kind] * recurrent.state + 2 * recurrent.convolution * recurrent.convolved
    return shape.recurrent_layers * step


def index_bytes_per_token(shape: ModelShape) -> int:
    """Return the size of one token's keys of the indexer in all layers [byte]."""
    return 0 if shape.indexer is None else shape.attention_blocks * (shape.indexer.head_size + INDEX_SCALE_BYTES)


def kv_bytes_per_token(shape: ModelShape, kind: Precision) -> float:
    """Return the size of one token's cache in all layers [byte], without regard to windows."""
    windowed = shape.windowed_layers
    numbers = windowed * shape.cached + (shape.attention_blocks - windowed) * shape.cached_whole
    return numbers * kind.kv + index_bytes_per_token(shape)


def kv_bytes(shape: ModelShape, kind: Precision, tokens: int) -> float:
    """Return the size of one sequence's cache [byte]; a layer with a window keeps at most its window."""
    windowed = shape.windowed_layers
    kept = windowed * min(tokens, shape.window or tokens) * shape.cached
    kept += (shape.attention_blocks - windowed) * tokens * shape.cached_whole
    return kind.kv * kept + tokens * index_bytes_per_token(shape)


def cache_bytes(shape: ModelShape, kind: Precision, context: int) -> float:
    """Return the bytes of cache that one decoding token reads in all layers [byte].

    That is the whole cache, except that an indexer reads the short keys of all tokens and attention reads the best.
    """
    near, far = _keys_seen(shape, context)
    return kind.kv * (shape.cached * near + shape.cached_whole * far) + context * index_bytes_per_token(shape)


def state_bytes(shape: ModelShape, kind: Precision) -> float:
    """Return the size of one sequence's recurrent state [byte]; each decoding token reads it once and writes it once.

    The state is in float32, and the last inputs of the convolution have the width of activations, 16 bits at least.
    """
    recurrent = shape.recurrent
    if recurrent is None:
        return 0.0
    inputs = (recurrent.convolution - 1) * recurrent.convolved * max(2.0, kind.activation)
    return shape.recurrent_layers * (recurrent.state * STATE_BYTES + inputs)


def cache_copies(shape: ModelShape, shards: int) -> float:
    """Return how many copies of a cache tensor-parallel shards hold together, each with the heads that it computes.

    Every head uses the whole latent, so that each shard holds all of it. A recurrent state divides with its heads. The
    layers with the fewest heads count for all.
    """
    fewest = shape.kv_heads if shape.whole is None else min(shape.kv_heads, shape.whole.kv_heads)
    return float(shards) if shape.latent is not None else max(1.0, shards / fewest)
